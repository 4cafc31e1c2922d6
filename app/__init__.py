"""The Streamlit pages: they ask the store and the models, and compute nothing themselves."""
