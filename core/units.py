"""Every conversion factor of the project, once; `tests/test_units.py` checks each against scipy.constants (CODATA).

| name | value | meaning |
| --- | --- | --- |
| `MAH_PER_MOL` | F / 3.6 | charge of one mole of electrons in mAh |
| `AH_PER_L_PER_ELECTRON_PER_A3` | e / (3600 C/Ah) / 1e-27 L | one electron in one cubic angstrom, in Ah/L |
| `CM2_PER_S_PER_A2_PER_PS` | (1e-8 cm)^2 / 1e-12 s | one square angstrom a picosecond, in cm^2/s |
| `GPA_A3_PER_EV` | e / 1e-30 m^3 / 1e9 Pa | one electronvolt a cubic angstrom, in GPa |
| `MS_PER_CM_NERNST_EINSTEIN` | e^2 / k_B in mS/cm | one charge a cubic angstrom, D = 1 cm^2/s, T = 1 K |
"""

ELEMENTARY_CHARGE_C = 1.602176634e-19
AVOGADRO_PER_MOL = 6.02214076e23
BOLTZMANN_EV_PER_K = 8.617333262e-5

SECONDS_PER_HOUR = 3600.0
LITRES_PER_CUBIC_ANGSTROM = 1e-27

MAH_PER_MOL = ELEMENTARY_CHARGE_C * AVOGADRO_PER_MOL / SECONDS_PER_HOUR * 1000.0
AH_PER_L_PER_ELECTRON_PER_A3 = ELEMENTARY_CHARGE_C / SECONDS_PER_HOUR / LITRES_PER_CUBIC_ANGSTROM

BOLTZMANN_J_PER_K = 1.380649e-23
FS_PER_PS = 1000.0
CM_PER_ANGSTROM = 1e-8
SECONDS_PER_PS = 1e-12
MS_PER_S = 1000.0

CM2_PER_S_PER_A2_PER_PS = CM_PER_ANGSTROM**2 / SECONDS_PER_PS
GPA_A3_PER_EV = ELEMENTARY_CHARGE_C / 1e-30 / 1e9
MS_PER_CM_NERNST_EINSTEIN = ELEMENTARY_CHARGE_C**2 / BOLTZMANN_J_PER_K / CM_PER_ANGSTROM**3 * MS_PER_S
