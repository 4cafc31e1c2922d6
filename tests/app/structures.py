"""Structure files as a visitor uploads them, made here by hand."""

MGO_CIF = b"""data_MgO
_cell_length_a 4.212
_cell_length_b 4.212
_cell_length_c 4.212
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 90
_symmetry_space_group_name_H-M 'P 1'
loop_
_atom_site_label
_atom_site_type_symbol
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
Mg1 Mg 0 0 0
Mg2 Mg 0 0.5 0.5
Mg3 Mg 0.5 0 0.5
Mg4 Mg 0.5 0.5 0
O1 O 0.5 0.5 0.5
O2 O 0.5 0 0
O3 O 0 0.5 0
O4 O 0 0 0.5
"""

MGMNO2_POSCAR = b"""MgMnO2
1.0
3.038 0.0 0.0
0.0 5.320 0.0
0.0 0.0 5.349
Mg Mn O
2 2 4
direct
0.06255 0.0 0.0
0.56255 0.5 0.0
0.56258 0.0 0.5
0.06260 0.5 0.5
0.06267 0.6638 0.7650
0.56267 0.1636 0.7650
0.06236 0.3364 0.2350
0.56236 0.8364 0.2350
"""

NACL_POSCAR = b"""NaCl
1.0
0.0 2.82 2.82
2.82 0.0 2.82
2.82 2.82 0.0
Na Cl
1 1
direct
0 0 0
0.5 0.5 0.5
"""
