-- The views of a release, made anew by every version that writes one, over the tables of schema.sql.

-- The calculations of kind `conductivity`, their results as typed columns.
CREATE OR REPLACE VIEW conductivities AS
SELECT
    name AS run_id, subject_id AS id, working_ion,
    result ->> 'potential' AS potential, result ->> 'protocol' AS protocol,
    (result ->> 'temperature_k')::DOUBLE AS temperature_k,
    (result ->> 'n_atoms')::INTEGER AS n_atoms, (result ->> 'n_working_ions')::INTEGER AS n_working_ions,
    (result ->> 'n_seeds')::INTEGER AS n_seeds, (result ->> 'simulated_ps')::DOUBLE AS simulated_ps,
    (result ->> 'd_cm2_per_s')::DOUBLE AS d_cm2_per_s,
    (result ->> 'd_low_cm2_per_s')::DOUBLE AS d_low_cm2_per_s,
    (result ->> 'd_high_cm2_per_s')::DOUBLE AS d_high_cm2_per_s,
    (result ->> 'sigma_ms_per_cm')::DOUBLE AS sigma_ms_per_cm,
    (result ->> 'sigma_low_ms_per_cm')::DOUBLE AS sigma_low_ms_per_cm,
    (result ->> 'sigma_high_ms_per_cm')::DOUBLE AS sigma_high_ms_per_cm,
    verdict,
    (result ->> 'teacher_force_mae_ev_per_a')::DOUBLE AS teacher_force_mae_ev_per_a,
    (result ->> 'atom_steps_per_s')::DOUBLE AS atom_steps_per_s,
    created, provenance_id
FROM calculations
WHERE kind = 'conductivity';

-- The conductivity that a candidate is shown with: a usable verdict first, then the temperature nearest the paper's
-- 1200 K, then the most simulated (a limit of a long run stands above a value of a short one), then the latest.
CREATE OR REPLACE VIEW shown_conductivities AS
SELECT *
FROM conductivities
QUALIFY row_number() OVER (
    PARTITION BY id, working_ion
    ORDER BY verdict IN ('diffusive', 'upper limit') DESC, abs(temperature_k - 1200),
             n_working_ions * simulated_ps DESC, created DESC, run_id
) = 1;

-- Calculations about a candidate's charging, their results as typed columns. TRY_CAST: a figure of another form is not
-- known, and does not keep a release from being published.
CREATE OR REPLACE VIEW relaxations AS
SELECT
    name, subject_id AS id, working_ion, result ->> 'potential' AS potential, verdict,
    TRY_CAST(result ->> 'voltage_v' AS DOUBLE) AS voltage_v,
    TRY_CAST(result ->> 'redox_voltage_v' AS DOUBLE) AS redox_voltage_v,
    TRY_CAST(result ->> 'volume_change' AS DOUBLE) AS volume_change,
    TRY_CAST(result ->> 'largest_move_a' AS DOUBLE) AS largest_move_a,
    created, provenance_id
FROM calculations
WHERE kind = 'relaxation';

-- The charged end is the one that the redox metals can pay for: without all ions, where they pay for all.
CREATE OR REPLACE VIEW stabilities AS
SELECT
    name, subject_id AS id, working_ion, verdict,
    TRY_CAST(coalesce(result ->> 'redox_e_above_hull_ev_per_atom', result ->> 'charged_e_above_hull_ev_per_atom')
             AS DOUBLE) AS charged_e_above_hull_ev_per_atom,
    TRY_CAST(coalesce(result ->> 'redox_e_above_hull_std_ev_per_atom', result ->> 'charged_e_above_hull_std_ev_per_atom')
             AS DOUBLE) AS charged_e_above_hull_std_ev_per_atom,
    TRY_CAST(result ->> 'discharged_e_above_hull_ev_per_atom' AS DOUBLE) AS discharged_e_above_hull_ev_per_atom,
    TRY_CAST(result ->> 'discharged_e_above_hull_std_ev_per_atom' AS DOUBLE) AS discharged_e_above_hull_std_ev_per_atom,
    TRY_CAST(result ->> 'conversion_voltage_v' AS DOUBLE) AS conversion_voltage_v,
    created, provenance_id
FROM calculations
WHERE kind = 'stability';

CREATE OR REPLACE VIEW curves AS
SELECT
    name, subject_id AS id, working_ion, verdict,
    list_min(TRY_CAST(result ->> '$.steps[*].voltage_v' AS DOUBLE[])) AS curve_low_v,
    list_max(TRY_CAST(result ->> '$.steps[*].voltage_v' AS DOUBLE[])) AS curve_high_v,
    created, provenance_id
FROM calculations
WHERE kind = 'curve';

CREATE OR REPLACE VIEW dft_voltages AS
SELECT
    name, subject_id AS id, working_ion, verdict, result ->> 'level' AS level,
    TRY_CAST(result ->> 'voltage_v' AS DOUBLE) AS voltage_v,
    TRY_CAST(result ->> 'voltage_d3_v' AS DOUBLE) AS voltage_d3_v,
    created, provenance_id
FROM calculations
WHERE kind = 'dft';

CREATE OR REPLACE VIEW barriers AS
SELECT
    name, subject_id AS id, working_ion, verdict, result ->> 'potential' AS potential,
    TRY_CAST(result ->> 'barrier_ev' AS DOUBLE) AS barrier_ev,
    TRY_CAST(result ->> 'barrier_std_ev' AS DOUBLE) AS barrier_std_ev,
    created, provenance_id
FROM calculations
WHERE kind = 'barrier';

-- The relaxation that a candidate is shown with: a finished one first, then one under the potential that most are under,
-- so that rows compare, then the latest. What did not come to rest has no figures.
CREATE OR REPLACE VIEW shown_relaxations AS
WITH counted AS (SELECT *, count(*) OVER (PARTITION BY potential) AS n_alike FROM relaxations)
SELECT
    id, working_ion, verdict AS framework,
    CASE WHEN verdict != 'not converged' THEN voltage_v END AS relaxed_voltage_v,
    CASE WHEN verdict != 'not converged' THEN redox_voltage_v END AS relaxed_redox_voltage_v,
    CASE WHEN verdict != 'not converged' THEN volume_change END AS volume_change,
    CASE WHEN verdict != 'not converged' THEN largest_move_a END AS largest_move_a
FROM counted
QUALIFY row_number() OVER (
    PARTITION BY id, working_ion
    ORDER BY verdict != 'not converged' DESC, n_alike DESC, potential, created DESC, name
) = 1;

CREATE OR REPLACE VIEW shown_stabilities AS
SELECT * FROM stabilities
QUALIFY row_number() OVER (
    PARTITION BY id, working_ion
    ORDER BY charged_e_above_hull_ev_per_atom IS NOT NULL DESC, created DESC, name
) = 1;

CREATE OR REPLACE VIEW shown_curves AS
SELECT * FROM curves
QUALIFY row_number() OVER (
    PARTITION BY id, working_ion ORDER BY curve_low_v IS NOT NULL DESC, created DESC, name
) = 1;

CREATE OR REPLACE VIEW shown_dft_voltages AS
SELECT * FROM dft_voltages
QUALIFY row_number() OVER (
    PARTITION BY id, working_ion ORDER BY voltage_v IS NOT NULL DESC, created DESC, name
) = 1;

-- The barrier of the potential that most are by, so that rows compare, then the latest.
CREATE OR REPLACE VIEW shown_barriers AS
WITH counted AS (SELECT *, count(*) OVER (PARTITION BY potential) AS n_alike FROM barriers)
SELECT * FROM counted
QUALIFY row_number() OVER (
    PARTITION BY id, working_ion ORDER BY barrier_ev IS NOT NULL DESC, n_alike DESC, potential, created DESC, name
) = 1;

-- The public label of a candidate, where its own structure is the discharged end of a labelled electrode.
CREATE OR REPLACE VIEW labelled_voltages AS
SELECT id_discharge AS id, working_ion, median(average_voltage_v) AS mp_average_voltage_v
FROM electrodes
GROUP BY id_discharge, working_ion;

-- The voltage of the accurate model where it gave one, else that of the model that was asked about all candidates.
CREATE OR REPLACE VIEW shown_voltages AS
SELECT v.* FROM voltage_predictions AS v, release AS r
WHERE v.model = r.model_name OR v.model = r.accurate_model_name
QUALIFY row_number() OVER (
    PARTITION BY v.id, v.working_ion ORDER BY v.voltage_v IS NOT NULL DESC, v.model = r.accurate_model_name DESC
) = 1;

-- Of each formula, the first candidate whose framework melted: a hint for its polymorphs that were not simulated.
CREATE OR REPLACE VIEW melted_formulas AS
SELECT t.formula, s.working_ion, min(s.id) AS id
FROM shown_conductivities AS s JOIN structures AS t ON t.id = s.id
WHERE s.verdict = 'framework melted'
GROUP BY ALL;

-- Candidates for the working ion of the release, with the voltages of its models.
CREATE OR REPLACE VIEW joined AS
SELECT
    c.id, t.formula, t.source, t.license, t.spacegroup, t.n_sites,
    v.voltage_v, v.voltage_std_v, v.voltage_low_v, v.voltage_high_v, coalesce(v.in_domain, FALSE) AS in_domain,
    q.capacity_vol_ah_per_l, q.capacity_grav_mah_per_g, q.capacity_redox_vol_ah_per_l,
    t.e_above_hull_ev_per_atom,
    s.sigma_ms_per_cm, s.sigma_low_ms_per_cm, s.sigma_high_ms_per_cm, s.temperature_k AS sigma_temperature_k,
    coalesce(v.provenance_id, c.provenance_id) AS provenance_id,
    q.capacity_redox_grav_mah_per_g, s.verdict AS sigma_verdict, v.error AS voltage_error,
    c.working_ion, t.elements, t.chemsys, t.element_key, t.redox_metals, t.has_anion, t.source_url, t.volume_a3,
    l.mp_average_voltage_v,
    x.relaxed_voltage_v, x.relaxed_redox_voltage_v, x.volume_change, x.largest_move_a, x.framework,
    h.charged_e_above_hull_ev_per_atom, h.charged_e_above_hull_std_ev_per_atom,
    h.discharged_e_above_hull_ev_per_atom, h.discharged_e_above_hull_std_ev_per_atom, h.conversion_voltage_v,
    u.curve_low_v, u.curve_high_v, d.voltage_v AS dft_voltage_v, v.model AS voltage_model,
    CASE WHEN s.verdict IS NULL THEN m.id END AS melted_polymorph,
    b.barrier_ev, b.barrier_std_ev
FROM release AS r
JOIN candidates AS c ON c.working_ion = r.working_ion
JOIN structures AS t ON t.id = c.id
LEFT JOIN shown_voltages AS v ON v.id = c.id AND v.working_ion = c.working_ion
LEFT JOIN capacities AS q ON q.id = c.id AND q.working_ion = c.working_ion
LEFT JOIN shown_conductivities AS s ON s.id = c.id AND s.working_ion = c.working_ion
LEFT JOIN labelled_voltages AS l ON l.id = c.id AND l.working_ion = c.working_ion
LEFT JOIN shown_relaxations AS x ON x.id = c.id AND x.working_ion = c.working_ion
LEFT JOIN shown_stabilities AS h ON h.id = c.id AND h.working_ion = c.working_ion
LEFT JOIN shown_curves AS u ON u.id = c.id AND u.working_ion = c.working_ion
LEFT JOIN shown_dft_voltages AS d ON d.id = c.id AND d.working_ion = c.working_ion
LEFT JOIN shown_barriers AS b ON b.id = c.id AND b.working_ion = c.working_ion
LEFT JOIN melted_formulas AS m ON m.formula = t.formula AND m.working_ion = c.working_ion;

-- What pages and commands read: exactly one row a candidate, in order of id. The join is done once, when the release is
-- published: reading its result takes a third of the time.
CREATE OR REPLACE TABLE screening_rows AS SELECT * FROM joined LIMIT 0;
CREATE OR REPLACE VIEW screening AS SELECT * FROM screening_rows;
