package world

type automation struct{}
