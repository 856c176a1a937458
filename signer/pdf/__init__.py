"""Reading the raw structure of a PDF for verification, without any PDF library.

`tokens` reads values, `structure` cross-reference sections and revisions, `listing` finds every signature,
`guard` checks the rules G1 to G9 on the bytes, `second_reading` asks another parser (G10), `changes` explains what
later revisions changed, `shadow` warns of what a signed file hides.
"""
