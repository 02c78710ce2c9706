package world

type parameterStore struct{}
