"""The process facade: each deployed process as an API in the terms of the business."""
