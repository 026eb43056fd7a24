package config

// Platform is where the gateway runs. It decides defaults, and what may be missing.
type Platform int

const (
	// PlatformBinary is one long-lived process with a disk: the binary, a container.
	PlatformBinary Platform = iota + 1
	// PlatformFunctions is Vercel: no disk, at most 300 s a request, bodies of at most 4.5 MB.
	PlatformFunctions
)

func (h Platform) String() string {
	switch h {
	case PlatformBinary:
		return "binary"
	case PlatformFunctions:
		return "functions"
	}
	return "unknown"
}
