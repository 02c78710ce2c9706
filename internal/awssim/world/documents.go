package world

type documents struct{}

func (r *Region) setUpDocuments() {}
