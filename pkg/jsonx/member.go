package jsonx

// AppendMember begins a member of the object that dst ends in: a comma unless the member is the first, its name and a
// colon. The name is written as it is: it must not need escaping.
func AppendMember(dst []byte, name string) []byte {
	dst = append(separate(dst), '"')
	dst = append(dst, name...)
	return append(dst, '"', ':')
}

// AppendEscapedMember is AppendMember for any name.
func AppendEscapedMember(dst []byte, name string) []byte {
	return append(AppendString(separate(dst), name), ':')
}

func separate(dst []byte) []byte {
	if dst[len(dst)-1] != '{' {
		dst = append(dst, ',')
	}
	return dst
}

// AppendStringMember appends a member with a string; the name is that of AppendMember.
func AppendStringMember(dst []byte, name, value string) []byte {
	return AppendString(AppendMember(dst, name), value)
}

// AppendIntMember appends a member with an integer; the name is that of AppendMember.
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
