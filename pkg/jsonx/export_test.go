package jsonx

// Rename is RenameAt for the member that counts of those with the name, if there is one. The others are removed.
func (e *Edit) Rename(from, to string) {
	if at := e.last(from); at >= 0 && from != to {
		e.drop(from, at)
		e.RenameAt(at, to)
	}
}
