"""Every quantity that a page, a table or a CSV file shows: its name, unit, words and format, once.

    voltage = QUANTITIES["voltage_v"]
    voltage.axis                   # 'Predicted voltage (V)', for the axis of a figure
    voltage.head                   # 'Voltage (V)', for the head of a column
    voltage.text(2.8651)           # '2.87 V'
    voltage.between(2.41, 3.32)    # '2.41 to 3.32 V'

The unit follows from the end of the name (`_ms_per_cm` is mS/cm), so that the two cannot disagree. A new column needs
its place in the schema, one line here, and its name in the list of the table that shows it.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from core.glossary import meaning
from core.quantity import Quantity, is_missing, scientific, significant, unit_of
from core.quantity import flag as _flag
from core.quantity import number as _number
from core.quantity import text as _text

__all__ = ["ALL", "QUANTITIES", "Quantity", "is_missing", "scientific", "significant", "unit_of"]

_LOWER, _UPPER = "Lower end of the 90 % interval", "Upper end of the 90 % interval"

_STRUCTURE: Final = (
    _text("id", "Id", "Name of the structure in its source."),
    _text("formula", "Formula", "Chemical formula of the discharged compound."),
    _text("label", "Formula", "Chemical formula of the discharged compound, counts as subscripts."),
    _text("file", "File", "Name of the uploaded file."),
    _text("material", "Material", "Chemical formula, counts as subscripts."),
    _text("working_ion", "Working ion", "The ion that leaves on charge.", short="Ion"),
    _text("source", "Source", "The data set that the structure comes from."),
    _text("source_label", "Source", "The data set that the structure comes from, in short."),
    _text("source_url", "Page of the source", "Where the source shows the structure."),
    _text("license", "Licence", "Under which the structure may be used."),
    _text("spacegroup", "Space group", "Hermann-Mauguin symbol, as the source states it."),
    _number("n_sites", "Sites", ",d", "Atoms in the cell."),
    _number("volume_a3", "Cell volume", ",.1f", "Volume of the cell."),
    _text("chemsys", "Chemical system", "The elements in alphabetical order, joined by dashes."),
    _text("elements", "Elements", "All elements of the compound."),
    _text("redox_metals", "Redox metals", "Metals whose oxidation can pay for working ions that leave."),
    _flag("has_anion", "With an anion", "Holds an anion former; intermetallics do not."),
    _number("e_above_hull_ev_per_atom", "Energy above hull", ".3f", f"{meaning('energy above hull')} Empty: unknown.",
            short="Above hull", head="Hull (eV/atom)"),
    _text("provenance_id", "Provenance", "Names the code, data, model and machine that made the row."),
    _text("reason", "Reason", "Why it was left out."),
    _text("error", "Error", "Why there is no result.", head="Refused because"),
)  # fmt: skip

_VOLTAGE: Final = (
    _number("voltage_v", "Predicted voltage", ".2f",
            "Predicted average voltage against the metal of the working ion.", short="Voltage"),
    _number("voltage_std_v", "Spread of the predicted voltage", ".2f", "Standard deviation of the prediction.",
            short="Spread"),
    _number("voltage_low_v", "Predicted voltage, low", ".2f", f"{_LOWER}, volts.", short="V low", head="V low"),
    _number("voltage_high_v", "Predicted voltage, high", ".2f", f"{_UPPER}, volts.", short="V high", head="V high"),
    _text("voltage_model", "Voltage model", "Which voltage model predicts: the accurate one for what could pass."),
    _text("model", "Model", "Which voltage model predicts."),
    _text("voltage_error", "No voltage because", "Why no voltage was predicted."),
    _flag("in_domain", "In domain", meaning("in domain")),
    _text("domain_reason", "Out of domain because", "Why the interval may not hold."),
    _number("start_force_ev_per_a", "Largest force as given", ".2f",
            "On an atom of the structure as it was given; near 0 where it was relaxed. Empty: the model does not look.",
            short="Force as given"),
    _number("start_pressure_gpa", "Pressure as given", "+.1f",
            "Of the cell as it was given, positive where it wants to grow. Empty: the model does not look."),
    _text("relaxed_by", "Relaxed first by", "The potential that relaxed cell and ions before the prediction."),
    _number("relaxed_volume_change", "Change of volume on relaxing", "+.1%",
            "Of the cell, when it was relaxed before the prediction."),
    _text("release_id", "In the release as", "The candidate of the release that the structure is."),
    _number("average_voltage_v", "Calculated voltage", ".2f",
            "Average voltage of a labelled electrode by density-functional theory.", short="Voltage"),
    _number("mp_average_voltage_v", "Calculated voltage", ".2f",
            "A public label for this very structure, where there is one; the model may have learned from it.",
            short="DFT label"),
    _number("dft_voltage_v", "First-principles voltage", ".2f",
            "Average voltage by our own density-functional theory, without dispersion.", short="DFT here"),
    _number("dft_voltage_d3_v", "First-principles voltage with D3", ".2f",
            "Average voltage by our own density-functional theory, with dispersion.", short="DFT with D3"),
)  # fmt: skip

_CAPACITY: Final = (
    _number("capacity_vol_ah_per_l", "Volumetric capacity", ",.0f", meaning("volumetric capacity"),
            short="Capacity"),
    _number("capacity_grav_mah_per_g", "Gravimetric capacity", ",.0f",
            "Per gram of the discharged compound, all working ions out.", short="Capacity"),
    _number("capacity_redox_vol_ah_per_l", "Redox-limited volumetric capacity", ",.0f",
            meaning("redox-limited capacity"), short="Redox-limited"),
    _number("capacity_redox_grav_mah_per_g", "Redox-limited gravimetric capacity", ",.0f",
            "What the redox metals can pay for, per gram; empty where not countable.", short="Redox-limited"),
)  # fmt: skip

_ENERGY: Final = (
    _number("energy_vol_wh_per_l", "Energy density", ",.0f",
            "Predicted voltage times redox-limited capacity, of the cathode alone.", short="Energy"),
    _number("energy_grav_wh_per_kg", "Specific energy", ",.0f",
            "Predicted voltage times redox-limited capacity, per kilogram of the cathode alone.", short="Energy"),
)  # fmt: skip

_SCREENING: Final = (
    _number("p_voltage", "Probability to pass the voltage threshold", ".0%", "From the predicted spread."),
    _number("p_capacity", "Probability to pass the capacity threshold", ".0%",
            "0 or 1: the composition and the cell decide."),
    _number("p_barrier", "Probability to keep the limit of the barrier", ".0%", "Empty where nothing is known."),
    _number("p_conductivity", "Probability to pass the conductivity threshold", ".0%", "Empty where nothing is known."),
    _number("p_all", "Pass probability", ".0%", meaning("pass probability")),
    _text("p_all_without", "Left out of the probability", "Asked for, and untested or undecided.", short="Left out"),
    _number("p_percent", "Pass probability", ".0f",
            "Chance that the true values pass every threshold, from the predicted spread; 99 stands for all above too.",
            head="Pass probability"),
    _flag("on_pareto_front", "On the Pareto front", meaning("Pareto front")),
    _number("score", "Score", ".2f",
            "Which to make next, from 0 to 1: named parts by their weights; what is not known earns nothing."),
    _number("score_voltage", "Score: voltage", ".2f", "Chance that the voltage keeps its limits.", short="Voltage"),
    _number("score_energy", "Score: energy density", ".2f", "1 at 5,000 Wh/L.", short="Energy density"),
    _number("score_charged", "Score: charged end", ".2f", "1 on the hull, 1/2 at 0.2 eV/atom above it.",
            short="Charged end"),
    _number("score_discharged", "Score: discharged end", ".2f", "1 on the hull, 1/2 at 0.1 eV/atom above it.",
            short="Can be made"),
    _number("score_host", "Score: host", ".2f", "1 topotactic, 1/2 distorted, 0 collapsed.", short="Host survives"),
    _number("score_barrier", "Score: barrier", ".2f", "1 without a barrier, 1/2 at the limit.", short="Barrier"),
    _number("score_conductivity", "Score: conductivity", ".2f", "1/2 at the limit, 1 a decade above.",
            short="Conductivity"),
    _number("score_price", "Score: price", ".2f", "1 at 1 USD/kg, 0 at 1,000.", short="Price"),
    _text("score_unknown", "Not known to the score", "Parts that earn nothing because they are not known.",
          short="Unknown to score"),
    _text("novelty", "Known or new",
          "labelled: its calculated voltage is public; known: in Materials Project, which also holds compounds that "
          "were only computed; new: found by GNoME.", short="Known"),
    _number("n_polymorphs", "Polymorphs", ",d", "Listed of this formula; the best of them is shown."),
    _flag("keep", "Keep", "Untick to take it off the shortlist."),
    _text("note", "Note", "Your own words; they stay in this tab, and in the file that you take along."),
    _number("n_candidates", "Candidates", ",d", "Candidates of this source in the release."),
    _number("n_inputs", "Inputs", ",d", "Inputs that were left out for this reason."),
)  # fmt: skip

_VERDICT: Final = (
    _text("verdict", "Verdict", "Of a candidate: make next (all known, nothing against), open (nothing against, some "
          "not known), doubtful (something against), no cathode. Of a calculation: how it ended."),
    _number("n_for", "Reasons for", ",d", "Criteria that speak for making it.", short="For"),
    _number("n_against", "Reasons against", ",d", "Criteria that speak against making it.", short="Against"),
    _number("n_unknown", "Not known", ",d", "Criteria that must be known before it is made, and are not."),
    _text("reasons_for", "For", "What speaks for making it, with the numbers."),
    _text("reasons_against", "Against", "What speaks against making it, with the numbers."),
    _text("unknown", "Not known", "What must be known before it is made."),
    _number("price_usd_per_kg", "Price of the elements", ".3g",
            "Of the pure elements by mass (pymatgen's table, 2013 to 2020); empty where it says nothing, as for "
            "fluorine and the alkali metals, whose salts are cheap.", short="Price"),
    _number("relaxed_voltage_v", "Relaxed voltage", ".2f",
            "Between both ends at rest under an interatomic potential, all ions out: a second opinion.",
            short="Relaxed"),
    _number("relaxed_redox_voltage_v", "Relaxed voltage, redox-limited", ".2f",
            "The same down to the ions that the redox metals cannot pay for.", short="Relaxed, redox"),
    _number("volume_change", "Change of volume", "+.1%", "Of the cell on charge, both ends relaxed.",
            short="Volume"),
    _number("largest_move_a", "Largest move of a host atom", ".2f", "Between both relaxed ends.", short="Largest move"),
    _text("framework", "Host", "Whether the host keeps its framework on charge: topotactic, distorted, collapsed."),
    _number("charged_e_above_hull_ev_per_atom", "Charged end above hull", ".3f",
            "Energy of the charged end above the stable phases of its composition.", short="Charged",
            head="Charged, hull (eV/atom)"),
    _number("charged_e_above_hull_std_ev_per_atom", "Error of the charged end above hull", ".3f",
            "Standard deviation.", short="Charged, error"),
    _number("discharged_e_above_hull_ev_per_atom", "Discharged end above hull, computed", ".3f",
            "Computed, also where the source states none.", short="Discharged", head="Discharged, hull (eV/atom)"),
    _number("discharged_e_above_hull_std_ev_per_atom", "Error of the discharged end above hull", ".3f",
            "Standard deviation; empty where the source states the energy.", short="Discharged, error"),
    _number("conversion_voltage_v", "Conversion voltage", ".2f",
            "At which the host would rather become other phases than take ions in.", short="Conversion"),
    _number("curve_low_v", "Lowest step of the voltage curve", ".2f", "Of the calculated curve.", short="Curve, low"),
    _number("curve_high_v", "Highest step of the voltage curve", ".2f", "Of the calculated curve.",
            short="Curve, high"),
)  # fmt: skip

_DYNAMICS: Final = (
    _number("barrier_ev", "Migration barrier", ".2f",
            meaning("barrier"), short="Barrier"),
    _number("barrier_std_ev", "Error of the migration barrier", ".2f", "Standard deviation against known hops.",
            short="Barrier, error"),
    _text("mobility", "Do ions get through", "By barrier and dynamics: fast where one says so and none slow."),
    _text("barrier_outcome", "Barrier keeps its limit",
          "passed, failed, undecided or untested; the limit is 0.65 eV where none is asked for.", short="Barrier is"),
    _text("conductivity_outcome", "Conductivity keeps its limit",
          "passed, failed, undecided or untested; the limit is 100 mS/cm where none is asked for.",
          short="Conductivity is"),
    _flag("is_final", "On the final list", "Ions get through, and nothing is known against it."),
    _number("sigma_ms_per_cm", "Conductivity", ".3g", "From molecular dynamics, mostly at 1200 K."),
    _number("sigma_low_ms_per_cm", "Conductivity, low", ".3g", f"{_LOWER}, mS/cm.", short="σ low", head="σ low"),
    _number("sigma_high_ms_per_cm", "Conductivity, high", ".3g",
            f"{_UPPER}, or the upper limit where that is all, mS/cm.", short="σ high", head="σ high"),
    _number("sigma_temperature_k", "Temperature of the conductivity", ".0f", "At which the conductivity was computed.",
            short="σ at"),
    _text("sigma_verdict", "Dynamics", "How the molecular dynamics ended."),
    _text("melted_polymorph", "Polymorph that melts", "Of the same formula, where this one was not simulated."),
    _number("d_cm2_per_s", "Diffusivity", ".2e", "Diffusivity of the working ion.", short="D"),
    _number("d_low_cm2_per_s", "Diffusivity, low", ".2e", f"{_LOWER}, cm²/s.", short="D low", head="D low"),
    _number("d_high_cm2_per_s", "Diffusivity, high", ".2e", f"{_UPPER}, or the upper limit where that is all, cm²/s.",
            short="D high", head="D high"),
    _number("temperature_k", "Temperature", ".0f", "Temperature of the thermostat.", short="T"),
    _number("energy_ev_per_atom", "Potential energy", ".3f", "Potential energy of the simulated cell."),
    _text("potential", "Potential", "The interatomic potential."),
    _text("protocol", "Protocol", "Length, size and time step of the run."),
    _number("seed", "Seed", "d", "Decides which ions are removed and how the atoms start."),
    _number("n_atoms", "Atoms", ",d", "In the simulated cell."),
    _number("n_working_ions", "Working ions", ",d", "Mobile ions in the simulated cell."),
    _number("n_removed", "Removed", ",d", "Working ions that were taken out, so that the others find empty sites."),
    _number("n_seeds", "Seeds", ",d", "Runs pooled into the result."),
    _number("simulated_ps", "Simulated", ".3g", "At constant volume: the part that is measured."),
    _number("time_ps", "Time", ".2f", "Since the start of the run."),
    _number("lag_ps", "Lag time", ".2f", "Time between two looks at the same ion."),
    _number("msd_a2", "Mean-square displacement", ".2f", "How far the atoms of a species move in a lag time, squared."),
    _number("teacher_force_mae_ev_per_a", "Error against teacher", ".2f",
            "Mean absolute difference of forces from the potential's teacher, on snapshots of the run itself."),
    _number("drift_mev_per_atom_per_ps", "Energy drift", ".2g", "Of the total energy, without a thermostat."),
    _number("atom_steps_per_s", "Speed", ",.0f", "Atoms times steps a second."),
    _number("min_atoms", "Fewest atoms", ",d", "Of the simulated cell.", head="At least (atoms)"),
    _number("max_atoms", "Most atoms", ",d", "Of the simulated cell.", head="At most (atoms)"),
    _number("vacancy_fraction", "Ions removed", ".2f",
            "A random share of the working ions leaves, so that the others find empty sites.",
            head="Ions removed (share)"),
    _number("npt_ps", "At constant pressure", ".3g", "Lets the cell find its size."),
    _number("nvt_ps", "At constant volume", ".3g", "The part that is measured."),
    _number("time_step_fs", "Time step", ".3g", "Of the integrator."),
)  # fmt: skip

_RUNS: Final = (
    _text("name", "Run", "Name of the run."),
    _text("run_id", "Run", "Name of the run."),
    _text("kind", "Kind", "What is calculated."),
    _text("state", "State", "Whether it waits, runs, or how it ended."),
    _number("place", "Place in the queue", "d", "The first is 1; empty where it does not wait."),
    _number("fraction", "Done", ".0%", "Share of the run that is done."),
    _number("n_curve_steps", "Steps of the voltage curve", ",d", "Between ground states.", short="Steps"),
    _number("eta_s", "Time left", ",.0f", "Expected, at the speed so far."),
    _text("submitted", "Submitted", "When it was started."),
    _text("age", "Submitted", "How long ago it was started."),
    _text("created", "Created", "When it was computed."),
)  # fmt: skip

_ACCURACY: Final = (
    _text("battery_id", "Electrode", "Name of the labelled electrode in Materials Project."),
    _text("formula_discharge", "Discharged", "Formula with the working ions inside."),
    _text("formula_charge", "Charged", "Formula without the working ions."),
    _text("id_discharge", "Structure", "Id of the discharged structure."),
    _text("id_charge", "Charged structure", "Id of the charged structure."),
    _text("host_formula", "Host", "Formula of the framework alone."),
    _text("voltage_check", "Label check", "Whether the energies of both ends confirm the label."),
    _number("rank", "Rank", "d", "1 is the nearest."),
    _number("distance", "Distance", ".2f", "Between the vectors that the voltage model learned."),
    _text("partition", "Partition", "Which electrodes were held out together."),
    _number("calculated_v", "Calculated voltage, DFT", ".2f", "The label that a prediction is held against.",
            short="DFT"),
    _number("predicted_v", "Predicted voltage", ".2f", "By members that did not see the electrode.", short="Predicted"),
    _number("std_v", "Spread of the predicted voltage", ".2f", "Standard deviation of the prediction.", short="Spread"),
    _number("error_v", "Error", "+.2f", "Predicted minus calculated voltage."),
    _number("n_electrodes", "Test rows", "d", "Electrodes that were held out.", short="Test rows"),
    _number("mae_v", "Mean absolute error", ".2f", "Mean absolute error against the label.", short="MAE"),
    _number("low_v", "Mean absolute error, low", ".2f", "Bootstrap over the test rows.", head="95 % low"),
    _number("high_v", "Mean absolute error, high", ".2f", "Bootstrap over the test rows.", head="95 % high"),
    _number("mean_baseline_v", "Ion's mean", ".2f", "MAE of always guessing the ion's mean."),
    _number("median_baseline_v", "Ion's median", ".2f", "MAE of always guessing the ion's median."),
    _number("paper_v", "Paper", ".2f", "Test MAE of the paper, on its own random split."),
    _number("measured_v", "Measured voltage", ".1f", "Of a cell against Mg, average or plateau; holds polarisation."),
    _number("measured_capacity_grav_mah_per_g", "Measured capacity", ",.0f", "By the mass that went into the cell.",
            short="Measured"),
    _number("measured_capacity_vol_ah_per_l", "Measured capacity, a litre", ",.0f",
            "Of the discharged crystal, without pores, carbon or binder.", short="Measured"),
    _number("ion_distance_a", "Distance to the nearest working ion", ".2f", "Within the crystal."),
    _number("two_theta_deg", "Angle 2θ", ".2f", "Between the beam and the diffracted one.", short="2θ"),
    _number("d_spacing_a", "Spacing of the planes", ".3f", "Of the lattice planes that make the peak.", short="d"),
    _number("intensity_percent", "Intensity", ".0f", "Against the strongest peak of the pattern."),
    _text("hkl", "Planes", "Miller indices in the conventional cell.", head="hkl"),
    _number("multiplicity", "Multiplicity", ",d", "Planes that symmetry makes alike."),
    _number("contribution_v", "Share of the voltage", "+.3f", "Of one atom, in the voltage of the frozen host."),
)  # fmt: skip

ALL: Final = (
    *_STRUCTURE,
    *_VOLTAGE,
    *_CAPACITY,
    *_ENERGY,
    *_SCREENING,
    *_VERDICT,
    *_DYNAMICS,
    *_RUNS,
    *_ACCURACY,
)

QUANTITIES: Final[Mapping[str, Quantity]] = MappingProxyType({it.name: it for it in ALL})
"""All quantities by name."""
