"""The guard of the embedded target: who may ask it, and what it answers nobody.

ministack alone takes orders from whoever reaches its port, and runs functions as processes of
the developer. So a layer around its ASGI app, in its own process, lets only through what
somebody could have sent who knows the target's secret.
"""
