package containers

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

// image is the last stage of a Dockerfile, in a bare folder.
type image struct {
	Root       string
	UID, GID   int
	Env        map[string]string
	Entrypoint []string
	Cmd        []string
	Health     []string
}

// build follows the Dockerfile of the repository, by the steps written there: a stage is a folder, COPY copies, RUN
// runs in the stage's working folder. It knows the instructions that this file has, and refuses others.
func build(dir string) (*image, error) {
	text, err := os.ReadFile("../../Dockerfile")
	if err != nil {
		return nil, err
	}
	b := &builder{dir: dir, image: &image{Env: map[string]string{}}}
	joined := strings.ReplaceAll(string(text), "\\\n", " ")
	for n, line := range strings.Split(joined, "\n") {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		instruction, rest, _ := strings.Cut(line, " ")
		if err := b.step(instruction, strings.TrimSpace(rest)); err != nil {
			return nil, fmt.Errorf("Dockerfile: step %d, %s: %w", n+1, instruction, err)
		}
	}
	b.image.Root = b.stage
	return b.image, nil
}

type builder struct {
	dir     string // a folder for each stage
	stage   string // the root of the one at work
	workdir string
	args    []string
	image   *image
}

func (b *builder) step(instruction, rest string) error {
	switch instruction {
	case "FROM":
		base, name, _ := strings.Cut(rest, " AS ")
		if name == "" {
			name = "final"
		}
		b.stage, b.workdir = filepath.Join(b.dir, name), "/"
		b.image = &image{Env: map[string]string{}}
		if name == "final" && base != "scratch" {
			return fmt.Errorf("the image is made of %s, not of scratch", base)
		}
		return os.MkdirAll(b.stage, 0o755)
	case "WORKDIR":
		b.workdir = rest
		return os.MkdirAll(filepath.Join(b.stage, rest), 0o755)
	case "ARG":
		b.args = append(b.args, rest)
		return nil
	case "RUN":
		cmd := exec.Command("sh", "-ec", rest)
		cmd.Dir = filepath.Join(b.stage, b.workdir)
		cmd.Env = append(os.Environ(), b.args...)
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("%w: %s", err, out)
		}
		return nil
	case "COPY":
		return b.copy(strings.Fields(rest))
	case "ENV":
		for _, setting := range strings.Fields(rest) {
			name, value, _ := strings.Cut(setting, "=")
			b.image.Env[name] = value
		}
		return nil
	case "USER":
		_, err := fmt.Sscanf(rest, "%d:%d", &b.image.UID, &b.image.GID)
		return err
	case "ENTRYPOINT":
		return json.Unmarshal([]byte(rest), &b.image.Entrypoint)
	case "CMD":
		return json.Unmarshal([]byte(rest), &b.image.Cmd)
	case "HEALTHCHECK":
		_, command, _ := strings.Cut(rest, "CMD ")
		return json.Unmarshal([]byte(command), &b.image.Health)
	case "VOLUME", "EXPOSE":
		return nil
	}
	return fmt.Errorf("this test does not know it")
}

// copy is COPY of the checkout, as git and .dockerignore leave it, or of a folder of an earlier stage.
func (b *builder) copy(args []string) error {
	from, owner := "", ""
	for strings.HasPrefix(args[0], "--") {
		name, value, _ := strings.Cut(args[0], "=")
		switch name {
		case "--from":
			from = value
		case "--chown":
			owner = value
		default:
			return fmt.Errorf("unknown %s", name)
		}
		args = args[1:]
	}
	if len(args) != 2 {
		return fmt.Errorf("%d arguments", len(args))
	}
	to := filepath.Join(b.stage, b.workdir, args[1])
	if strings.HasPrefix(args[1], "/") {
		to = filepath.Join(b.stage, args[1])
	}
	if from == "" {
		const script = `git -C ../.. ls-files -z --cached --others --exclude-standard | (cd ../.. && xargs -0 sh -c 'for f; do [ ! -e "$f" ] || printf "%s\n" "$f"; done' sh | tar -cf - -T -) | tar -xf - -C "$1"`
		return shell(script, to)
	}
	if err := shell(`cp -R "$2". "$1"`, to, filepath.Join(b.dir, from, args[0])+"/"); err != nil || owner == "" {
		return err
	}
	// Only what was copied, which is one level deep.
	entries, err := os.ReadDir(filepath.Join(b.dir, from, args[0]))
	if err != nil {
		return err
	}
	uid, gid, _ := strings.Cut(owner, ":")
	u, _ := strconv.Atoi(uid)
	g, _ := strconv.Atoi(gid)
	for _, e := range entries {
		if err := os.Chown(filepath.Join(to, e.Name()), u, g); err != nil {
			return err
		}
	}
	return nil
}

func shell(script string, args ...string) error {
	out, err := exec.Command("sh", append([]string{"-ec", script, "sh"}, args...)...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	return nil
}
