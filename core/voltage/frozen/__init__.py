"""The frozen-host model: what two universal potentials say of a host whose working ions have just left.

`probes` runs the potentials, `features` turns what they say into numbers a head can learn from, `head` is the
ensemble of small networks that learns the correction, `model` joins the three for prediction and `training`
makes the shipped weights.
"""
