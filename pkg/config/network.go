package config

import (
	"log/slog"
	"net"
	"net/mail"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"github.com/alicetears/llm-gateway/pkg/catalog"
	"github.com/alicetears/llm-gateway/pkg/provider"
)

// baseURLVariables are those of the providers' table: OPENAI_BASE_URL, GROQ_BASE_URL and so on.
func baseURLVariables() []Variable {
	table, err := provider.NewTable(nil)
	if err != nil {
		panic(err) // the table without overrides is always right: its own test makes it
	}
	var variables []Variable
	for _, p := range table.All() {
		variables = append(variables, Variable{Name: strings.ToUpper(p.ID) + "_BASE_URL", Provider: p.ID,
			Description: "Another base URL for " + p.Name + ": a proxy, a region, a test."})
	}
	return variables
}

func (r *reader) baseURLs() map[string]string {
	urls := map[string]string{}
	for _, name := range r.order {
		if v := r.variables[name]; v.Provider != "" {
			if value, st := r.lookup(name); st == set {
				urls[v.Provider] = r.baseURL(name, value)
			}
		}
	}
	return urls
}

func (r *reader) baseURL(name, value string) string {
	const fix = "write it as https://host/path"
	u, err := url.Parse(value)
	switch {
	case err != nil:
		r.problem(name, "is not a valid URL", fix)
	case u.Scheme != "http" && u.Scheme != "https":
		r.problem(name, "begins neither with https:// nor with http://", fix)
	case u.Hostname() == "":
		r.problem(name, "names no host", fix)
	case u.User != nil:
		r.problem(name, "contains a user name or a password", "remove it; provider keys belong to the gateway's users")
	case strings.ContainsAny(value, "?#"):
		r.problem(name, "has a query or a fragment", fix)
	default:
		return strings.TrimRight(u.String(), "/")
	}
	return ""
}

// TLS names the files of the certificate to serve with. Both are empty, or neither.
type TLS struct {
	Cert, Key string // PEM
}

func (r *reader) tls() TLS {
	t := TLS{Cert: r.text("TLS_CERT_FILE"), Key: r.text("TLS_KEY_FILE")}
	const fix = "set both, or neither"
	switch {
	case t.Cert == "" && t.Key != "":
		r.problem("TLS_CERT_FILE", "is not set, but TLS_KEY_FILE is", fix)
	case t.Cert != "" && t.Key == "":
		r.problem("TLS_KEY_FILE", "is not set, but TLS_CERT_FILE is", fix)
	}
	return t
}

func (r *reader) host(name string) string {
	host := r.text(name)
	if inner, found := strings.CutPrefix(host, "["); found {
		host = strings.TrimSuffix(inner, "]")
	}
	if _, err := netip.ParseAddr(host); err == nil {
		return host
	}
	isName := !strings.ContainsFunc(host, func(c rune) bool {
		return !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '-' || c == '.' ||
			c == '_')
	})
	if !isName {
		r.problem(name, "is neither an address nor a host name",
			"set it to 127.0.0.1, or to 0.0.0.0 to listen everywhere (the port goes into PORT)")
		return ""
	}
	return host
}

// contact reads an https, mailto or tel URL, or an e-mail address.
func (r *reader) contact(name string) string {
	text := r.text(name)
	if text == "" {
		return ""
	}
	if address, err := mail.ParseAddress(text); err == nil && address.Name == "" && !strings.ContainsAny(text, "<>") {
		return "mailto:" + address.Address
	}
	u, err := url.Parse(text)
	if err != nil || !slices.Contains([]string{"https", "mailto", "tel"}, u.Scheme) || u.Host == "" && u.Opaque == "" ||
		strings.ContainsFunc(text, func(c rune) bool { return c <= ' ' || c == 0x7f }) {
		r.problem(name, "is neither an e-mail address nor a URL", "set it to security@example.com, or to a page like https://example.com/security")
		return ""
	}
	return text
}

func (r *reader) prefixes(name string) []netip.Prefix {
	var prefixes []netip.Prefix
	for _, item := range items(r.text(name)) {
		prefix, ok := parsePrefix(item)
		if !ok {
			r.problem(name, "contains an entry that is neither an address nor a network",
				"list them like 10.0.0.0/8, 192.0.2.7, 2001:db8::/32")
			return nil
		}
		prefixes = append(prefixes, prefix)
	}
	return prefixes
}

func parsePrefix(text string) (netip.Prefix, bool) {
	if addr, err := netip.ParseAddr(text); err == nil && addr.Zone() == "" {
		addr = addr.Unmap()
		return netip.PrefixFrom(addr, addr.BitLen()), true
	}
	prefix, err := netip.ParsePrefix(text)
	if err != nil {
		return netip.Prefix{}, false
	}
	if prefix.Addr().Is4In6() {
		if prefix.Bits() < 96 {
			return netip.Prefix{}, false
		}
		prefix = netip.PrefixFrom(prefix.Addr().Unmap(), prefix.Bits()-96)
	}
	return prefix.Masked(), true
}

// origins returns origins as browsers write them: lower case, no default port, no slash at the end.
func (r *reader) origins(name string) []string {
	const fix = "list origins like https://app.example.com, http://localhost:5173, or set it to *"
	list := items(r.text(name))
	var origins []string
	for _, item := range list {
		if item == "*" && len(list) > 1 {
			r.problem(name, "lists * among others", fix)
			return nil
		}
		origin, ok := parseOrigin(item)
		if !ok {
			r.problem(name, "contains an entry that is not an origin", fix)
			return nil
		}
		origins = append(origins, origin)
	}
	return origins
}

func parseOrigin(text string) (string, bool) {
	if text == "*" {
		return "*", true
	}
	u, err := url.Parse(strings.TrimSuffix(text, "/"))
	if err != nil || u.Scheme == "" || u.Hostname() == "" || u.User != nil || u.Path != "" ||
		strings.ContainsAny(text, "?#*") {
		return "", false
	}
	host := strings.ToLower(u.Host)
	if name, port, err := net.SplitHostPort(host); err == nil {
		if port == "" || (u.Scheme == "https" && port == "443") || (u.Scheme == "http" && port == "80") {
			host = name
			if strings.Contains(name, ":") {
				host = "[" + name + "]"
			}
		}
	}
	return u.Scheme + "://" + host, true
}

func (r *reader) prices(name string) catalog.Overrides {
	prices, err := catalog.ParseOverrides(r.text(name))
	if err != nil {
		r.problem(name, err.Error(),
			`write it like {"openai/gpt-5-mini":{"input":0.25,"output":2}}, USD per million tokens`)
	}
	return prices
}

func (r *reader) logLevel(name string) slog.Level {
	switch r.choice(name, "debug", "info", "warn", "error") {
	case "debug":
		return slog.LevelDebug
	case "warn":
		return slog.LevelWarn
	case "error":
		return slog.LevelError
	}
	return slog.LevelInfo
}
