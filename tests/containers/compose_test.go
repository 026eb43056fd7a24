package containers

import (
	"bytes"
	"errors"
	"io"
	"os"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"
)

// compose is the part of the compose file's format that the repository's file uses. What is not in it is an error.
type compose struct {
	Name     string             `yaml:"name"`
	Gateway  service            `yaml:"x-gateway"`
	Services map[string]service `yaml:"services"`
	Volumes  map[string]any     `yaml:"volumes"`
}

type service struct {
	Image       string            `yaml:"image"`
	Build       string            `yaml:"build"`
	Command     []string          `yaml:"command"`
	MemLimit    string            `yaml:"mem_limit"`
	ReadOnly    bool              `yaml:"read_only"`
	CapDrop     []string          `yaml:"cap_drop"`
	SecurityOpt []string          `yaml:"security_opt"`
	EnvFile     []envFile         `yaml:"env_file"`
	Environment map[string]string `yaml:"environment"`
	Volumes     []string          `yaml:"volumes"`
	Ports       []string          `yaml:"ports"`
	NetworkMode string            `yaml:"network_mode"`
	DependsOn   map[string]struct {
		Condition string `yaml:"condition"`
	} `yaml:"depends_on"`
	Healthcheck     health `yaml:"healthcheck"`
	Restart         string `yaml:"restart"`
	StopGracePeriod string `yaml:"stop_grace_period"`
}

type envFile struct {
	Path     string `yaml:"path"`
	Required bool   `yaml:"required"`
}

type health struct {
	Test        []string `yaml:"test"`
	Interval    string   `yaml:"interval"`
	Timeout     string   `yaml:"timeout"`
	StartPeriod string   `yaml:"start_period"`
	Retries     int      `yaml:"retries"`
	Disable     bool     `yaml:"disable"`
}

func readCompose(t *testing.T) *compose {
	t.Helper()
	var c compose
	if n := strict(t, "../../docker-compose.yml", func() any { c = compose{}; return &c }); n != 1 {
		t.Fatalf("%d documents", n)
	}
	return &c
}

// strict reads a YAML file, each document into what next gives, and refuses unknown fields.
func strict(t *testing.T, name string, next func() any) (documents int) {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	d := yaml.NewDecoder(bytes.NewReader(text))
	for {
		var document any
		err := d.Decode(&document)
		if errors.Is(err, io.EOF) {
			return documents
		}
		if err == nil {
			err = exactly(document, next())
		}
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		documents++
	}
}

// exactly decodes a document whose aliases and merges are resolved, without unknown fields.
func exactly(document, into any) error {
	text, err := yaml.Marshal(document)
	if err != nil {
		return err
	}
	d := yaml.NewDecoder(bytes.NewReader(text))
	d.KnownFields(true)
	return d.Decode(into)
}

func TestComposeFile(t *testing.T) {
	c := readCompose(t)
	for name, s := range c.Services {
		if (len(s.Ports) > 0) != (name == "api") {
			t.Errorf("%s publishes %v", name, s.Ports)
		}
		for _, p := range s.Ports {
			if !strings.HasPrefix(p, "127.0.0.1:") {
				t.Errorf("%s publishes %s to everybody", name, p)
			}
		}
		for on, d := range s.DependsOn {
			other, ok := c.Services[on]
			switch {
			case !ok:
				t.Errorf("%s waits for %s, which is no service", name, on)
			case d.Condition == "service_healthy" && len(other.Healthcheck.Test) == 0:
				t.Errorf("%s waits for the health of %s, which has no check", name, on)
			case d.Condition == "service_completed_successfully" && other.Restart != "no":
				t.Errorf("%s waits for the end of %s, which is started again", name, on)
			case d.Condition != "service_healthy" && d.Condition != "service_completed_successfully":
				t.Errorf("%s waits for %s until %q", name, on, d.Condition)
			}
		}
		for _, v := range s.Volumes {
			volume, _, _ := strings.Cut(v, ":")
			if file, ok := strings.CutPrefix(volume, "./"); ok {
				if _, err := os.Stat("../../" + file); err != nil || !strings.HasSuffix(v, ":ro") {
					t.Errorf("%s mounts %s: %v", name, v, err)
				}
			} else if _, ok := c.Volumes[volume]; !ok {
				t.Errorf("%s mounts %s, which is no volume", name, volume)
			}
			if volume == "secrets" && s.Build == "" {
				t.Errorf("%s sees the secrets of the gateway", name)
			}
		}
		for _, f := range s.EnvFile {
			if f.Required {
				t.Errorf("%s does not start without %s", name, f.Path)
			}
		}
		if s.Build != "" && (!s.ReadOnly || len(s.CapDrop) != 1 || s.CapDrop[0] != "ALL" || len(s.SecurityOpt) != 1) {
			t.Errorf("%s may do more than it needs", name)
		}
	}
	for _, name := range []string{"api", "worker"} {
		for _, on := range []string{"init", "postgres", "redis"} {
			if _, ok := c.Services[name].DependsOn[on]; !ok {
				t.Errorf("%s does not wait for %s", name, on)
			}
		}
	}
}
