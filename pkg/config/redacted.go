package config

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
)

const redacted = "[redacted]"

// Redacted returns the effective value of each variable, for the start-up log and for diagnosis. Of a secret it says
// whether it is set; URLs lose their user, password and parameters.
func (c Config) Redacted() map[string]string { return maps.Clone(c.shown) }

// Format prints what Redacted returns, whatever the verb.
func (c Config) Format(f fmt.State, _ rune) {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(c.shown)) {
		parts = append(parts, name+"="+c.shown[name])
	}
	f.Write([]byte("{" + strings.Join(parts, " ") + "}"))
}

// LogValue logs what Redacted returns.
func (c Config) LogValue() slog.Value {
	var attrs []slog.Attr
	for _, name := range slices.Sorted(maps.Keys(c.shown)) {
		attrs = append(attrs, slog.String(name, c.shown[name]))
	}
	return slog.GroupValue(attrs...)
}

// MarshalJSON encodes what Redacted returns.
func (c Config) MarshalJSON() ([]byte, error) { return json.Marshal(c.shown) }

func (s Secrets) Format(f fmt.State, _ rune)   { f.Write([]byte(redacted)) }
func (s Secrets) LogValue() slog.Value         { return slog.StringValue(redacted) }
func (s Secrets) MarshalJSON() ([]byte, error) { return json.Marshal(redacted) }

func (d Database) Format(f fmt.State, _ rune)   { f.Write([]byte(d.shown())) }
func (d Database) LogValue() slog.Value         { return slog.StringValue(d.shown()) }
func (d Database) MarshalJSON() ([]byte, error) { return json.Marshal(d.shown()) }

func (d Database) shown() string {
	if d.Kind == SQLite {
		return "sqlite:" + d.Path
	}
	return withoutCredentials(d.URL)
}
