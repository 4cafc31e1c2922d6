"""Where crystals come from: reference data, uploaded files, Materials Project, GNoME."""
