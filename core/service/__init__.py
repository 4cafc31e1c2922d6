"""What the command line, the pages and an API call: one module a subject, typed results, nothing printed or drawn.

release      the release that all faces read, and what it offers to filter by
screen       thresholds and filters -> funnel, who passes, the list in its order, the shortlist as a file
candidates   everything that is known of one candidate
predict      structure files and uploads -> a row each, with the reason where there is no prediction
model        the voltage model and its card
accuracy     how far the voltage model is off
explain      which atoms make a predicted voltage
embeddings   what the networks learned of chemistry
potentials   the interatomic potentials and their cards
calculations one's own runs and those of the release: list, start, stop, go on, merge, export
stability    how far the ends of charging are from the hull, and insertion against conversion
dynamics     molecular dynamics: what is asked, what comes out, what it would cost
curves       voltage against the content of ions: what is known, what another would take, its start

No face calls another, and none reaches around this layer for what it decides. Import a module, not the package: each
loads only what it needs.
"""
