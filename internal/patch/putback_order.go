package patch

import "slices"

// PutBackOrder is the order in which instances of a group are put back: those that do not serve first, for they take
// nothing away and give the others their room once they are back; then the one that was patched last. patched are ids
// in the order in which they were patched.
func PutBackOrder(group Group, state GroupState, patched []string) []string {
	serving := Out(group, state, Holdings{}).Serving
	serves := func(id string) bool { return slices.Contains(serving, id) }
	reversed := slices.Clone(patched)
	slices.Reverse(reversed)
	return append(slices.DeleteFunc(slices.Clone(reversed), serves),
		slices.DeleteFunc(reversed, func(id string) bool { return !serves(id) })...)
}

// NextPutBack is the instance that is put back next; "" when nobody is left, or only those that were refused for want
// of room since anything changed. refused are those: whoever puts back adds to it, and empties it whenever another has
// been put back, for that may have made room. So every one is asked again, and none for ever.
func NextPutBack(group Group, state GroupState, patched, refused []string) string {
	for _, id := range PutBackOrder(group, state, patched) {
		if !slices.Contains(refused, id) {
			return id
		}
	}
	return ""
}
