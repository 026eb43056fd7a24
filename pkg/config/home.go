package config

// Home is where the gateway runs. It decides defaults, and what may be missing.
type Home int

const (
	// HomeBinary is one long-lived process with a disk: the binary, a container.
	HomeBinary Home = iota + 1
	// HomeFunctions is Vercel: no disk, at most 300 s a request, bodies of at most 4.5 MB.
	HomeFunctions
)

func (h Home) String() string {
	switch h {
	case HomeBinary:
		return "binary"
	case HomeFunctions:
		return "functions"
	}
	return "unknown"
}
