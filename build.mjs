// placeholder while the skeleton is being laid; replaced below
