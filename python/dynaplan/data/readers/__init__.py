"""Where logs come from: files and frames, as tables of named columns."""
