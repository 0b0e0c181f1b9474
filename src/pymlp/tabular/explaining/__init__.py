"""What moves the predictions of a model of a table, by column: values of rows, and importances.

`explained_model` is the door. Everything below it works on encoded inputs and a `Function` of them.
"""
