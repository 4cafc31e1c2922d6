"""What the command line, the pages and an API call: one module a subject, typed results, nothing printed or drawn.

release      the release that all faces read, and what it offers to filter by
screen       thresholds and filters -> funnel, who passes, the list in its order, the shortlist as a file
candidates   everything that is known of one candidate
similar      candidates like one: polymorphs, the same prototype, near to the model
predict      structure files and uploads -> a row each, with the reason where there is no prediction
model        the voltage model and its card
accuracy     how far the voltage model is off
diffraction  powder patterns of both ends of charge
explain      which atoms make a predicted voltage
embeddings   what the networks learned of chemistry
potentials   the interatomic potentials and their cards
voltages     the voltages of a candidate beside each other, and which contradict the prediction
calculations one's own runs and those of the release: list, start, stop, go on, merge, export
conductivities  seeds pooled, the result that counts first
measurements  runs as a list, a row for each material and protocol
decide       whether a conductivity is decided against a limit, and the run that could decide it
charged_state both ends relaxed and how stable they are, and what of it a verdict takes
dynamics     molecular dynamics: what is asked, what comes out, what it would cost
curves       voltage against the content of ions: what is known, what another would take, its start
dft          first principles: what is asked, what it would cost, what VASP computed elsewhere
landmarks    measured cathodes beside what is predicted for them
first_principles  predicted and relaxed voltages beside those of first principles

No face calls another, and none reaches around this layer for what it decides. Import a module, not the package: each
loads only what it needs.
"""
