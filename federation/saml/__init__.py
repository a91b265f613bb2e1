"""SAML 2.0: what an outside company says about a person, believed only as far as its signature reaches. Pure.

Everything that touches XML is in this package, so that lxml and xmlsec can be swapped without anybody noticing.
"""
