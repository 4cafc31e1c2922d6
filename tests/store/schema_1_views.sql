-- The views of a release, made anew by every version that writes one, over the tables of schema.sql.

-- The conductivity that a candidate is shown with: a usable verdict first, then the temperature nearest the paper's
-- 1200 K, then the most simulated (a limit of a long run stands above a value of a short one), then the latest.
CREATE OR REPLACE VIEW shown_conductivities AS
SELECT *
FROM conductivities
QUALIFY row_number() OVER (
    PARTITION BY id
    ORDER BY verdict IN ('diffusive', 'upper limit') DESC, abs(temperature_k - 1200),
             n_working_ions * simulated_ps DESC, created DESC, run_id
) = 1;

-- The public label of a candidate, where its own structure is the discharged end of a labelled electrode.
CREATE OR REPLACE VIEW labelled_voltages AS
SELECT id_discharge AS id, working_ion, median(average_voltage_v) AS mp_average_voltage_v
FROM electrodes
GROUP BY id_discharge, working_ion;

CREATE OR REPLACE VIEW joined AS
SELECT
    c.id, c.formula, c.source, c.license, c.spacegroup, c.n_sites,
    v.voltage_v, v.voltage_std_v, v.voltage_low_v, v.voltage_high_v, coalesce(v.in_domain, FALSE) AS in_domain,
    q.capacity_vol_ah_per_l, q.capacity_grav_mah_per_g, q.capacity_redox_vol_ah_per_l,
    c.e_above_hull_ev_per_atom,
    s.sigma_ms_per_cm, s.sigma_low_ms_per_cm, s.sigma_high_ms_per_cm, s.temperature_k AS sigma_temperature_k,
    coalesce(v.provenance_id, c.provenance_id) AS provenance_id,
    q.capacity_redox_grav_mah_per_g, s.verdict AS sigma_verdict, v.error AS voltage_error,
    c.working_ion, c.elements, c.chemsys, c.element_key, c.redox_metals, c.has_anion, c.source_url, c.volume_a3,
    l.mp_average_voltage_v
FROM candidates AS c
LEFT JOIN voltage_predictions AS v ON v.id = c.id
LEFT JOIN capacities AS q ON q.id = c.id
LEFT JOIN shown_conductivities AS s ON s.id = c.id
LEFT JOIN labelled_voltages AS l ON l.id = c.id AND l.working_ion = c.working_ion;

-- What pages and commands read: exactly one row a candidate, in order of id. The join is done once, when the release is
-- published: reading its result takes a third of the time.
CREATE OR REPLACE TABLE screening_rows AS SELECT * FROM joined LIMIT 0;
CREATE OR REPLACE VIEW screening AS SELECT * FROM screening_rows;
