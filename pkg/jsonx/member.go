package jsonx

// AppendMember begins a member of the object that dst ends in: a comma unless the member is the first, its name and a
// colon.
func AppendMember(dst []byte, name string) []byte {
	if dst[len(dst)-1] != '{' {
		dst = append(dst, ',')
	}
	return append(AppendString(dst, name), ':')
}

// AppendStringMember appends a member with a string.
func AppendStringMember(dst []byte, name, value string) []byte {
	return AppendString(AppendMember(dst, name), value)
}

// AppendIntMember appends a member with an integer.
func AppendIntMember(dst []byte, name string, value int64) []byte {
	return AppendInt(AppendMember(dst, name), value)
}

// AppendElement begins an element of the array that dst ends in: a comma unless the element is the first.
func AppendElement(dst []byte) []byte {
	if dst[len(dst)-1] != '[' {
		dst = append(dst, ',')
	}
	return dst
}
