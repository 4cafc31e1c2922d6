-- Schema 1 of a release. One file is one release: it is built whole, then only read.
-- Units stand in column names; every result row names its provenance; numbers are finite or NULL (NaN is refused).

CREATE TABLE release (
    only_row        BOOLEAN PRIMARY KEY DEFAULT TRUE CHECK (only_row),
    version         VARCHAR NOT NULL,
    schema_version  INTEGER NOT NULL,
    created         VARCHAR NOT NULL,
    code_version    VARCHAR NOT NULL,
    model_name      VARCHAR,
    model_sha256    VARCHAR CHECK (length(model_sha256) = 64),
    data_sha256     VARCHAR CHECK (length(data_sha256) = 64)
);

CREATE TABLE provenance (
    id              VARCHAR PRIMARY KEY,
    kind            VARCHAR NOT NULL,
    model_name      VARCHAR,
    model_sha256    VARCHAR,
    data_sha256     VARCHAR,
    seed            BIGINT,
    device          VARCHAR NOT NULL,
    code_version    VARCHAR NOT NULL,
    versions        VARCHAR NOT NULL,  -- JSON object: package -> version
    machine         VARCHAR NOT NULL,
    created         VARCHAR NOT NULL
);

CREATE TABLE structures (
    id              VARCHAR PRIMARY KEY CHECK (regexp_full_match(id, '[A-Za-z0-9._:-]{1,80}')),
    lattice_a       DOUBLE[9] NOT NULL,  -- three row vectors, angstrom
    species         VARCHAR[] NOT NULL CHECK (len(species) > 0),
    frac            DOUBLE[] NOT NULL CHECK (isfinite(list_sum(frac))),  -- x, y, z of each site in turn
    provenance_id   VARCHAR NOT NULL REFERENCES provenance (id),
    CHECK (len(frac) = 3 * len(species)),
    CHECK (isfinite(list_sum(lattice_a::DOUBLE[])))
);

CREATE TABLE candidates (
    id              VARCHAR PRIMARY KEY REFERENCES structures (id),
    formula         VARCHAR NOT NULL CHECK (length(formula) BETWEEN 1 AND 200),
    working_ion     VARCHAR NOT NULL,
    source          VARCHAR NOT NULL,
    source_url      VARCHAR CHECK (starts_with(source_url, 'https://')),
    license         VARCHAR NOT NULL,
    spacegroup      VARCHAR,
    n_sites         INTEGER NOT NULL CHECK (n_sites > 0),
    n_working_ions  INTEGER NOT NULL CHECK (n_working_ions > 0),
    volume_a3       DOUBLE NOT NULL CHECK (isfinite(volume_a3) AND volume_a3 > 0),
    elements        VARCHAR[] NOT NULL CHECK (len(elements) > 0),  -- alphabetical
    chemsys         VARCHAR NOT NULL,
    element_key     VARCHAR NOT NULL,  -- '-Mg-Mn-O-': looking for '-Mn-' is ten times faster than searching the list
    redox_metals    VARCHAR[] NOT NULL,
    has_anion       BOOLEAN NOT NULL,  -- false for intermetallics
    e_above_hull_ev_per_atom DOUBLE CHECK (e_above_hull_ev_per_atom BETWEEN -1 AND 20),
    provenance_id   VARCHAR NOT NULL REFERENCES provenance (id)
);

CREATE TABLE voltage_predictions (
    id              VARCHAR PRIMARY KEY REFERENCES candidates (id),
    working_ion     VARCHAR NOT NULL,
    voltage_v       DOUBLE CHECK (voltage_v BETWEEN -20 AND 20),
    voltage_std_v   DOUBLE CHECK (voltage_std_v BETWEEN 0 AND 20),
    voltage_low_v   DOUBLE CHECK (voltage_low_v BETWEEN -100 AND 100),
    voltage_high_v  DOUBLE CHECK (voltage_high_v BETWEEN -100 AND 100),
    in_domain       BOOLEAN,
    error           VARCHAR,
    provenance_id   VARCHAR NOT NULL REFERENCES provenance (id),
    CHECK (voltage_low_v <= voltage_v AND voltage_v <= voltage_high_v),
    CHECK ((error IS NULL) = (voltage_v IS NOT NULL)),
    CHECK ((error IS NULL) = (voltage_std_v IS NOT NULL)),
    CHECK ((error IS NULL) = (voltage_low_v IS NOT NULL)),
    CHECK ((error IS NULL) = (voltage_high_v IS NOT NULL))
);

CREATE TABLE capacities (
    id              VARCHAR PRIMARY KEY REFERENCES candidates (id),
    capacity_vol_ah_per_l         DOUBLE NOT NULL CHECK (capacity_vol_ah_per_l BETWEEN 0 AND 20000),
    capacity_grav_mah_per_g       DOUBLE NOT NULL CHECK (capacity_grav_mah_per_g BETWEEN 0 AND 20000),
    capacity_redox_vol_ah_per_l   DOUBLE CHECK (capacity_redox_vol_ah_per_l BETWEEN 0 AND 20000),
    capacity_redox_grav_mah_per_g DOUBLE CHECK (capacity_redox_grav_mah_per_g BETWEEN 0 AND 20000),
    provenance_id   VARCHAR NOT NULL REFERENCES provenance (id),
    CHECK (capacity_redox_vol_ah_per_l <= capacity_vol_ah_per_l * 1.000001),
    CHECK (capacity_redox_grav_mah_per_g <= capacity_grav_mah_per_g * 1.000001)
);

CREATE TABLE conductivities (
    run_id          VARCHAR PRIMARY KEY CHECK (regexp_full_match(run_id, '[A-Za-z0-9._:-]{1,120}')),
    id              VARCHAR NOT NULL REFERENCES candidates (id),
    working_ion     VARCHAR NOT NULL,
    potential       VARCHAR NOT NULL,
    protocol        VARCHAR NOT NULL,
    temperature_k   DOUBLE NOT NULL CHECK (temperature_k BETWEEN 1 AND 10000),
    n_atoms         INTEGER NOT NULL CHECK (n_atoms > 0),
    n_working_ions  INTEGER NOT NULL CHECK (n_working_ions > 0),
    n_seeds         INTEGER NOT NULL CHECK (n_seeds > 0),
    simulated_ps    DOUBLE NOT NULL CHECK (isfinite(simulated_ps) AND simulated_ps >= 0),
    d_cm2_per_s         DOUBLE CHECK (d_cm2_per_s BETWEEN 0 AND 1),
    d_low_cm2_per_s     DOUBLE CHECK (d_low_cm2_per_s BETWEEN 0 AND 1),
    d_high_cm2_per_s    DOUBLE CHECK (d_high_cm2_per_s BETWEEN 0 AND 1),
    sigma_ms_per_cm      DOUBLE CHECK (sigma_ms_per_cm BETWEEN 0 AND 1e6),
    sigma_low_ms_per_cm  DOUBLE CHECK (sigma_low_ms_per_cm BETWEEN 0 AND 1e6),
    sigma_high_ms_per_cm DOUBLE CHECK (sigma_high_ms_per_cm BETWEEN 0 AND 1e6),
    verdict         VARCHAR NOT NULL CHECK (verdict IN (
        'diffusive', 'upper limit', 'framework melted', 'too short', 'out of domain', 'aborted')),
    teacher_force_mae_ev_per_a DOUBLE CHECK (teacher_force_mae_ev_per_a BETWEEN 0 AND 1000),
    atom_steps_per_s DOUBLE CHECK (isfinite(atom_steps_per_s) AND atom_steps_per_s >= 0),
    created         VARCHAR NOT NULL,
    provenance_id   VARCHAR NOT NULL REFERENCES provenance (id),
    CHECK (sigma_low_ms_per_cm <= sigma_ms_per_cm AND sigma_ms_per_cm <= sigma_high_ms_per_cm),
    CHECK (d_low_cm2_per_s <= d_cm2_per_s AND d_cm2_per_s <= d_high_cm2_per_s),
    CHECK (verdict != 'diffusive' OR (sigma_ms_per_cm IS NOT NULL AND d_cm2_per_s IS NOT NULL)),
    CHECK (verdict = 'diffusive' OR sigma_ms_per_cm IS NULL)
);

CREATE TABLE electrodes (
    battery_id        VARCHAR PRIMARY KEY,
    working_ion       VARCHAR NOT NULL,
    average_voltage_v DOUBLE NOT NULL CHECK (isfinite(average_voltage_v)),
    formula_discharge VARCHAR NOT NULL,
    formula_charge    VARCHAR NOT NULL,
    id_discharge      VARCHAR NOT NULL,
    id_charge         VARCHAR NOT NULL,  -- empty where the charged structure has no public id
    host_formula      VARCHAR NOT NULL,
    voltage_check     VARCHAR NOT NULL,
    capacity_grav_mah_per_g DOUBLE CHECK (isfinite(capacity_grav_mah_per_g)),
    capacity_vol_ah_per_l   DOUBLE CHECK (isfinite(capacity_vol_ah_per_l)),
    provenance_id     VARCHAR NOT NULL REFERENCES provenance (id)
);

CREATE TABLE nearest_electrodes (
    id              VARCHAR NOT NULL REFERENCES candidates (id),
    rank            INTEGER NOT NULL CHECK (rank >= 1),
    battery_id      VARCHAR NOT NULL REFERENCES electrodes (battery_id),
    distance        DOUBLE NOT NULL CHECK (isfinite(distance) AND distance >= 0),
    provenance_id   VARCHAR NOT NULL REFERENCES provenance (id),
    PRIMARY KEY (id, rank)
);

CREATE TABLE skipped (
    id              VARCHAR NOT NULL,
    reason          VARCHAR NOT NULL CHECK (length(reason) > 0),
    provenance_id   VARCHAR NOT NULL REFERENCES provenance (id)
);
