package containers

import (
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"
)

// object has the fields of Kubernetes objects that the manifest uses: apps/v1 Deployment and v1 Service.
type object struct {
	APIVersion string   `yaml:"apiVersion"`
	Kind       string   `yaml:"kind"`
	Metadata   metadata `yaml:"metadata"`
	Spec       struct {
		Replicas int       `yaml:"replicas"`
		Selector yaml.Node `yaml:"selector"`
		Template struct {
			Metadata metadata `yaml:"metadata"`
			Spec     pod      `yaml:"spec"`
		} `yaml:"template"`
		Ports []struct {
			Name       string `yaml:"name"`
			Port       int    `yaml:"port"`
			TargetPort string `yaml:"targetPort"`
		} `yaml:"ports"`
	} `yaml:"spec"`
}

type metadata struct {
	Name   string            `yaml:"name"`
	Labels map[string]string `yaml:"labels"`
}

type pod struct {
	AutomountServiceAccountToken  *bool `yaml:"automountServiceAccountToken"`
	TerminationGracePeriodSeconds int   `yaml:"terminationGracePeriodSeconds"`
	SecurityContext               struct {
		RunAsNonRoot   bool              `yaml:"runAsNonRoot"`
		RunAsUser      int               `yaml:"runAsUser"`
		RunAsGroup     int               `yaml:"runAsGroup"`
		SeccompProfile map[string]string `yaml:"seccompProfile"`
	} `yaml:"securityContext"`
	Containers []struct {
		Name    string   `yaml:"name"`
		Image   string   `yaml:"image"`
		Args    []string `yaml:"args"`
		EnvFrom []struct {
			SecretRef map[string]string `yaml:"secretRef"`
		} `yaml:"envFrom"`
		Env []struct {
			Name  string `yaml:"name"`
			Value string `yaml:"value"`
		} `yaml:"env"`
		Ports []struct {
			Name          string `yaml:"name"`
			ContainerPort int    `yaml:"containerPort"`
		} `yaml:"ports"`
		LivenessProbe   probe `yaml:"livenessProbe"`
		ReadinessProbe  probe `yaml:"readinessProbe"`
		Resources       map[string]map[string]string
		SecurityContext struct {
			AllowPrivilegeEscalation *bool               `yaml:"allowPrivilegeEscalation"`
			ReadOnlyRootFilesystem   bool                `yaml:"readOnlyRootFilesystem"`
			Capabilities             map[string][]string `yaml:"capabilities"`
		} `yaml:"securityContext"`
	} `yaml:"containers"`
}

type probe struct {
	HTTPGet struct {
		Path string `yaml:"path"`
		Port string `yaml:"port"`
	} `yaml:"httpGet"`
	Exec struct {
		Command []string `yaml:"command"`
	} `yaml:"exec"`
	PeriodSeconds    int `yaml:"periodSeconds"`
	TimeoutSeconds   int `yaml:"timeoutSeconds"`
	FailureThreshold int `yaml:"failureThreshold"`
}

func TestKubernetesManifest(t *testing.T) {
	var objects []*object
	strict(t, "../../deploy/kubernetes.yaml", func() any { objects = append(objects, &object{}); return objects[len(objects)-1] })
	ports := map[string]bool{}
	kinds := map[string]int{}
	for _, o := range objects {
		if o.Kind == "" {
			continue // what the end of the file was read into
		}
		kinds[o.APIVersion+" "+o.Kind]++
		if o.Kind != "Deployment" {
			continue
		}
		var selector struct {
			MatchLabels map[string]string `yaml:"matchLabels"`
		}
		if err := o.Spec.Selector.Decode(&selector); err != nil || selector.MatchLabels["app"] != o.Spec.Template.Metadata.Labels["app"] {
			t.Errorf("%s does not select its own pods: %v", o.Metadata.Name, err)
		}
		p := o.Spec.Template.Spec
		if !p.SecurityContext.RunAsNonRoot || p.SecurityContext.RunAsUser != 65532 ||
			p.AutomountServiceAccountToken == nil || *p.AutomountServiceAccountToken {
			t.Errorf("%s: %+v", o.Metadata.Name, p.SecurityContext)
		}
		for _, c := range p.Containers {
			if !c.SecurityContext.ReadOnlyRootFilesystem || c.SecurityContext.Capabilities["drop"][0] != "ALL" {
				t.Errorf("%s may do more than it needs", c.Name)
			}
			for _, port := range c.Ports {
				ports[port.Name] = true
			}
			for _, pr := range []probe{c.LivenessProbe, c.ReadinessProbe} {
				if pr.HTTPGet.Port != "" && !ports[pr.HTTPGet.Port] {
					t.Errorf("%s is probed at %s, which is no port", c.Name, pr.HTTPGet.Port)
				}
			}
		}
	}
	if kinds["apps/v1 Deployment"] != 2 || kinds["v1 Service"] != 1 || len(kinds) != 2 {
		t.Errorf("%v", kinds)
	}
	for _, o := range objects {
		for _, p := range o.Spec.Ports {
			if !ports[p.TargetPort] {
				t.Errorf("%s leads to %s, which is no port", o.Metadata.Name, p.TargetPort)
			}
		}
	}
}

// The unit has the three sections, and only lines that systemd knows.
func TestSystemdUnit(t *testing.T) {
	const name = "../../deploy/llm-gateway.service"
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	line := regexp.MustCompile(`^(#.*|\[(Unit|Service|Install)\]|[A-Z][A-Za-z]+=.*|)$`)
	for l := range strings.Lines(string(text)) {
		if !line.MatchString(strings.TrimSuffix(l, "\n")) {
			t.Errorf("%q", l)
		}
	}
	for _, want := range []string{"ExecStart=/usr/local/bin/gateway serve\n", "DynamicUser=yes\n",
		"StateDirectory=llm-gateway\n", "WantedBy=multi-user.target\n"} {
		if !strings.Contains(string(text), "\n"+want) {
			t.Errorf("no %q", want)
		}
	}
	verify, err := exec.LookPath("systemd-analyze")
	if err != nil {
		return // systemd has checked the unit itself
	}
	out, _ := exec.Command(verify, "verify", "--man=no", name).CombinedOutput()
	for l := range strings.Lines(string(out)) {
		if strings.Contains(l, "llm-gateway.service:") && !strings.Contains(l, "is not executable") {
			t.Error(l)
		}
	}
}
