"""What is drawn in 3D, worked out for the browser's viewer: crystals, bonds of a moving framework, visited places."""
