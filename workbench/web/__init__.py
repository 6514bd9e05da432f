"""The ASGI gate, sign-in, downloads and health (Starlette)."""
