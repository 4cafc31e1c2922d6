-- Schema 2 of a release. One file is one release: it is built whole, then only read.
-- Units stand in column names; every result row names its provenance; numbers are finite or NULL (NaN is refused).
--
-- A structure is stored once. It may be a candidate for one working ion or several, have predictions by several voltage
-- models, and be the subject of calculations without being a candidate at all.

CREATE TABLE release (
    only_row        BOOLEAN PRIMARY KEY DEFAULT TRUE CHECK (only_row),
    version         VARCHAR NOT NULL,
    schema_version  INTEGER NOT NULL,
    created         VARCHAR NOT NULL,
    code_version    VARCHAR NOT NULL,
    working_ion     VARCHAR NOT NULL,  -- pages show the candidates for this ion,
    model_name      VARCHAR,           -- with the voltages that this model predicts
    model_sha256    VARCHAR CHECK (length(model_sha256) = 64),
    accurate_model_name   VARCHAR,     -- or, where it was asked, this one, which costs more
    accurate_model_sha256 VARCHAR CHECK (length(accurate_model_sha256) = 64),
    data_sha256     VARCHAR CHECK (length(data_sha256) = 64)
);

CREATE TABLE provenance (
    id              VARCHAR PRIMARY KEY,
    kind            VARCHAR NOT NULL,
    model_name      VARCHAR,
    model_sha256    VARCHAR,
    data_sha256     VARCHAR,
    seed            BIGINT,
    seeds           BIGINT[] NOT NULL DEFAULT [],  -- of an ensemble, where one seed does not tell
    device          VARCHAR NOT NULL,
    code_version    VARCHAR NOT NULL,
    versions        VARCHAR NOT NULL,  -- JSON object: package -> version
    machine         VARCHAR NOT NULL,
    created         VARCHAR NOT NULL
);

CREATE TABLE structures (
    id              VARCHAR PRIMARY KEY CHECK (regexp_full_match(id, '[A-Za-z0-9._:-]{1,80}')),
    formula         VARCHAR NOT NULL CHECK (length(formula) BETWEEN 1 AND 200),
    origin          VARCHAR NOT NULL CHECK (regexp_full_match(origin, '[a-z][a-z-]{0,39}')),
                    -- source, relaxed, substituted, generated, literature, uploaded, ...
    parent_id       VARCHAR REFERENCES structures (id),  -- what it was made from, where it was
    source          VARCHAR NOT NULL,
    source_url      VARCHAR CHECK (starts_with(source_url, 'https://')),
    license         VARCHAR NOT NULL,
    spacegroup      VARCHAR,
    e_above_hull_ev_per_atom DOUBLE CHECK (e_above_hull_ev_per_atom BETWEEN -1 AND 20),
    n_sites         INTEGER NOT NULL CHECK (n_sites > 0),
    volume_a3       DOUBLE NOT NULL CHECK (isfinite(volume_a3) AND volume_a3 > 0),
    elements        VARCHAR[] NOT NULL CHECK (len(elements) > 0),  -- alphabetical
    chemsys         VARCHAR NOT NULL,
    element_key     VARCHAR NOT NULL,  -- '-Mg-Mn-O-': looking for '-Mn-' is ten times faster than searching the list
    redox_metals    VARCHAR[] NOT NULL,
    has_anion       BOOLEAN NOT NULL,  -- false for intermetallics
    lattice_a       DOUBLE[9] NOT NULL,  -- three row vectors, angstrom
    species         VARCHAR[] NOT NULL CHECK (len(species) > 0),
    frac            DOUBLE[] NOT NULL CHECK (isfinite(list_sum(frac))),  -- x, y, z of each site in turn
    provenance_id   VARCHAR NOT NULL REFERENCES provenance (id),
    CHECK (parent_id != id),
    CHECK (n_sites = len(species)),
    CHECK (len(frac) = 3 * len(species)),
    CHECK (isfinite(list_sum(lattice_a::DOUBLE[])))
);

CREATE TABLE candidates (
    id              VARCHAR NOT NULL REFERENCES structures (id),
    working_ion     VARCHAR NOT NULL,
    n_working_ions  INTEGER NOT NULL CHECK (n_working_ions > 0),
    provenance_id   VARCHAR NOT NULL REFERENCES provenance (id),
    PRIMARY KEY (id, working_ion)
);

CREATE TABLE voltage_predictions (
    id              VARCHAR NOT NULL,
    working_ion     VARCHAR NOT NULL,
    model           VARCHAR NOT NULL CHECK (length(model) > 0),
    voltage_v       DOUBLE CHECK (voltage_v BETWEEN -20 AND 20),
    voltage_std_v   DOUBLE CHECK (voltage_std_v BETWEEN 0 AND 20),
    voltage_low_v   DOUBLE CHECK (voltage_low_v BETWEEN -100 AND 100),
    voltage_high_v  DOUBLE CHECK (voltage_high_v BETWEEN -100 AND 100),
    in_domain       BOOLEAN,
    error           VARCHAR,
    provenance_id   VARCHAR NOT NULL REFERENCES provenance (id),
    PRIMARY KEY (id, working_ion, model),
    FOREIGN KEY (id, working_ion) REFERENCES candidates (id, working_ion),
    CHECK (voltage_low_v <= voltage_v AND voltage_v <= voltage_high_v),
    CHECK ((error IS NULL) = (voltage_v IS NOT NULL)),
    CHECK ((error IS NULL) = (voltage_std_v IS NOT NULL)),
    CHECK ((error IS NULL) = (voltage_low_v IS NOT NULL)),
    CHECK ((error IS NULL) = (voltage_high_v IS NOT NULL))
);

CREATE TABLE capacities (
    id              VARCHAR NOT NULL,
    working_ion     VARCHAR NOT NULL,
    capacity_vol_ah_per_l         DOUBLE NOT NULL CHECK (capacity_vol_ah_per_l BETWEEN 0 AND 20000),
    capacity_grav_mah_per_g       DOUBLE NOT NULL CHECK (capacity_grav_mah_per_g BETWEEN 0 AND 20000),
    capacity_redox_vol_ah_per_l   DOUBLE CHECK (capacity_redox_vol_ah_per_l BETWEEN 0 AND 20000),
    capacity_redox_grav_mah_per_g DOUBLE CHECK (capacity_redox_grav_mah_per_g BETWEEN 0 AND 20000),
    provenance_id   VARCHAR NOT NULL REFERENCES provenance (id),
    PRIMARY KEY (id, working_ion),
    FOREIGN KEY (id, working_ion) REFERENCES candidates (id, working_ion),
    CHECK (capacity_redox_vol_ah_per_l <= capacity_vol_ah_per_l * 1.000001),
    CHECK (capacity_redox_grav_mah_per_g <= capacity_grav_mah_per_g * 1.000001)
);

-- Every finished calculation, of any kind. `views.sql` has typed views of some kinds; `core.store.rows` checks their
-- ranges as a calculation is written.
CREATE TABLE calculations (
    key             VARCHAR PRIMARY KEY CHECK (regexp_full_match(key, '[0-9a-f]{64}')),
    name            VARCHAR NOT NULL UNIQUE CHECK (regexp_full_match(name, '[A-Za-z0-9._:-]{1,120}')),
    kind            VARCHAR NOT NULL CHECK (regexp_full_match(kind, '[a-z][a-z0-9-]{0,39}')),
    version         INTEGER NOT NULL CHECK (version > 0),
    subject_id      VARCHAR NOT NULL REFERENCES structures (id),
    formula         VARCHAR NOT NULL,
    working_ion     VARCHAR NOT NULL,
    verdict         VARCHAR NOT NULL,
    created         VARCHAR NOT NULL,
    spec            JSON NOT NULL,
    result          JSON NOT NULL,
    provenance_id   VARCHAR NOT NULL REFERENCES provenance (id)
);

CREATE TABLE calculation_files (
    key             VARCHAR NOT NULL REFERENCES calculations (key),
    name            VARCHAR NOT NULL CHECK (regexp_full_match(name, '[A-Za-z0-9_][A-Za-z0-9._-]{0,79}')),
    content         BLOB NOT NULL,
    PRIMARY KEY (key, name)
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
    id              VARCHAR NOT NULL,
    working_ion     VARCHAR NOT NULL,
    model           VARCHAR NOT NULL,  -- whose learned vectors the distance is of
    rank            INTEGER NOT NULL CHECK (rank >= 1),
    battery_id      VARCHAR NOT NULL REFERENCES electrodes (battery_id),
    distance        DOUBLE NOT NULL CHECK (isfinite(distance) AND distance >= 0),
    provenance_id   VARCHAR NOT NULL REFERENCES provenance (id),
    PRIMARY KEY (id, working_ion, model, rank),
    FOREIGN KEY (id, working_ion) REFERENCES candidates (id, working_ion)
);

CREATE TABLE skipped (
    id              VARCHAR NOT NULL,
    reason          VARCHAR NOT NULL CHECK (length(reason) > 0),
    provenance_id   VARCHAR NOT NULL REFERENCES provenance (id)
);
