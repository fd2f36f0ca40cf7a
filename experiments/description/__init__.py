"""An experiment before it is trained: shapes, parameters, memory, work, and a picture."""
