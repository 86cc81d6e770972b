"""Drawn faces: expression → action units → shapes of a face → pixels.

`action_units` says which muscles move, `identity` whose face it is and how it is seen; `face`,
`eyes`, `mouth` and `hair` turn both into coloured outlines, and `canvas` paints those.
"""
