package config

import (
	"testing"

	"github.com/alicetears/llm-gateway/pkg/outbound"
)

// Without a word of the operator, only admins of a gateway that nobody else can call reach the loopback.
func TestCustomEndpoints(t *testing.T) {
	for _, test := range []struct {
		host, value   string
		admins, users outbound.Reach
	}{
		{"", "", outbound.Loopback, outbound.Public},
		{"127.0.0.1", "", outbound.Loopback, outbound.Public},
		{"::1", "", outbound.Loopback, outbound.Public},
		{"localhost", "", outbound.Loopback, outbound.Public},
		{"0.0.0.0", "", outbound.Public, outbound.Public},
		{"::", "", outbound.Public, outbound.Public},
		{"gateway.example", "", outbound.Public, outbound.Public},
		{"127.0.0.1", "public", outbound.Public, outbound.Public},
		{"0.0.0.0", "loopback:users", outbound.Loopback, outbound.Loopback},
		{"0.0.0.0", "private", outbound.Private, outbound.Public},
		{"", "off", outbound.Off, outbound.Off},
	} {
		p := load(t, PlatformBinary, map[string]string{"HOST": test.host, outbound.Variable: test.value}).CustomEndpoints
		if p.Admins != test.admins || p.Users != test.users || p.ViaProxy {
			t.Errorf("HOST=%s, %q: %+v", test.host, test.value, p)
		}
	}
	functions := map[string]string{"DATABASE_URL": "postgres://u:p@h/d", "JWT_SECRET": "u3Kq8Zr1vY5sT0pWx7Lc2mBn4hGd6jFa9eQi"}
	if p := load(t, PlatformFunctions, functions).CustomEndpoints; p.Admins != outbound.Public || p.Users != outbound.Public {
		t.Errorf("functions: %+v", p)
	}
	for _, value := range []string{"loopback", "private", "private:users"} {
		functions[outbound.Variable] = value
		if list := problems(t, PlatformFunctions, functions); len(list) != 1 || list[0].Variable != outbound.Variable {
			t.Errorf("functions, %s: %v", value, list)
		}
	}
	if list := problems(t, PlatformBinary, map[string]string{outbound.Variable: "everything"}); len(list) != 1 {
		t.Errorf("problems: %v", list)
	}
}
