"""The pages: the phone app, the task list, the operator's view."""
