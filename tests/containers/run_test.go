// Package containers builds the image by the steps of the Dockerfile in a bare folder, and runs the services of
// docker-compose.yml in it with their command, environment, user and health check. It needs root and Linux, for
// chroot and network namespaces.
package containers

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/alicetears/llm-gateway/internal/emulator"
	"github.com/alicetears/llm-gateway/internal/pgtest"
	"github.com/alicetears/llm-gateway/internal/testproc"
)

// isolated is the variable that hands the image to the process inside the namespaces.
const isolated = "CONTAINERS_IMAGE"

func TestMain(m *testing.M) {
	if runtime.GOOS != "linux" || os.Geteuid() != 0 || os.Getenv(isolated) != "" {
		pgtest.Main(m)
	}
	os.Exit(isolate())
}

// isolate builds the image, and runs this program again with a network and mounts of its own: ports
// are those of the files, whatever runs on the machine.
func isolate() int {
	dir, err := testproc.Dir("containertest", "")
	if err == nil {
		defer os.RemoveAll(dir)
		err = os.Chmod(dir, 0o755)
	}
	var im *image
	if err == nil {
		im, err = build(dir)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	text, _ := json.Marshal(im) // strings and numbers
	cmd := exec.Command("/proc/self/exe", os.Args[1:]...)
	cmd.Env = append(os.Environ(), isolated+"="+string(text))
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET | syscall.CLONE_NEWNS, Pdeathsig: syscall.SIGKILL}
	runtime.LockOSThread() // the death signal is the thread's
	if err := cmd.Run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

func theImage(t *testing.T) *image {
	t.Helper()
	text := os.Getenv(isolated)
	if text == "" {
		t.Skip("the image is run as root on Linux alone")
	}
	var im image
	if err := json.Unmarshal([]byte(text), &im); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("ip", "link", "set", "lo", "up").CombinedOutput(); err != nil {
		t.Fatalf("ip link: %v: %s", err, out)
	}
	return &im
}

// container is a process in the image's folder.
type container struct {
	cmd *exec.Cmd
	log *testproc.Output
	end chan error
}

// command is argv in the image: its root, its user, its environment and that given, nothing else.
func (im *image) command(env map[string]string, argv ...string) *exec.Cmd {
	cmd := &exec.Cmd{Path: argv[0], Args: argv, Dir: "/"}
	for _, set := range []map[string]string{im.Env, env} {
		for name, value := range set {
			cmd.Env = append(cmd.Env, name+"="+value)
		}
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Chroot: im.Root,
		Credential: &syscall.Credential{Uid: uint32(im.UID), Gid: uint32(im.GID)}, Pdeathsig: syscall.SIGKILL}
	return cmd
}

func (im *image) run(env map[string]string, argv ...string) (string, error) {
	out, err := im.command(env, argv...).CombinedOutput()
	return string(out), err
}

func (im *image) start(t *testing.T, env map[string]string, argv ...string) *container {
	t.Helper()
	c := &container{cmd: im.command(env, argv...), log: &testproc.Output{}, end: make(chan error, 1)}
	c.cmd.Stdout, c.cmd.Stderr = c.log, c.log
	c.cmd.SysProcAttr.Pdeathsig = 0 // the thread that starts it may end before the test does
	if err := c.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { c.end <- c.cmd.Wait() }()
	t.Cleanup(func() { c.cmd.Process.Kill() })
	return c
}

// stop is "docker stop".
func (c *container) stop(t *testing.T) {
	t.Helper()
	c.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case err := <-c.end:
		if err != nil {
			t.Errorf("%v: %v\n%s", c.cmd.Args, err, c.log)
		}
	case <-time.After(time.Minute):
		t.Fatalf("%v does not end:\n%s", c.cmd.Args, c.log)
	}
}

// argv is the entry point with a service's command, as Docker puts them together.
func (im *image) argv(command []string) []string {
	if len(command) == 0 {
		command = im.Cmd
	}
	return append(append([]string{}, im.Entrypoint...), command...)
}

// healthy waits for a health check of the kind CMD as Docker does.
func (im *image) healthy(t *testing.T, env map[string]string, check []string) {
	t.Helper()
	if check[0] != "CMD" {
		t.Fatalf("a check of the form %s needs a shell", check[0])
	}
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(100 * time.Millisecond) {
		out, err := im.run(env, check[1:]...)
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%v: %v: %s", check, err, out)
		}
	}
}

// forward forwards the port that the files name to a server of the test.
func forward(t *testing.T, port int, to string) {
	t.Helper()
	l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				s, err := net.Dial("tcp", to)
				if err != nil {
					return
				}
				defer s.Close()
				go func() { io.Copy(s, c); s.(*net.TCPConn).CloseWrite() }()
				io.Copy(c, s)
			}()
		}
	}()
}

// onHost runs a health check of an image that is not ours with the programs of this machine.
func onHost(t *testing.T, im *image, check []string) {
	t.Helper()
	argv := check[1:]
	if check[0] == "CMD-SHELL" {
		argv = []string{"sh", "-c", inRoot(im, check[1])}
	}
	if out, err := exec.Command(argv[0], argv[1:]...).CombinedOutput(); err != nil {
		t.Errorf("%v: %v: %s", check, err, out)
	}
}

// inRoot is a shell command of the compose file as the shell gets it, with the mounted volume of this image.
func inRoot(im *image, command string) string {
	return strings.ReplaceAll(strings.ReplaceAll(command, "$$", "$"), " /services/", " "+im.Root+"/services/")
}

// sqlOfRole is the file that the image of Postgres runs in a new database.
func sqlOfRole(t *testing.T, postgres service) string {
	t.Helper()
	for _, v := range postgres.Volumes {
		file, target, _ := strings.Cut(v, ":")
		if strings.HasPrefix(target, "/docker-entrypoint-initdb.d/") {
			return "../../" + file
		}
	}
	t.Fatal("Postgres gets no role for the gateway")
	return ""
}

// requirePassword has the server of PostgreSQL ask every role for its password, and checks what the role gateway may do.
func requirePassword(t *testing.T, superuser, password string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	c, err := pgx.Connect(ctx, superuser)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close(ctx)
	var rules string
	var powers, withPassword int
	err = c.QueryRow(ctx, `select current_setting('hba_file'),
 (select count(*) from pg_roles where rolname = 'gateway' and (rolsuper or rolcreaterole or rolcreatedb or rolreplication or rolbypassrls)),
 (select count(*) from pg_authid where rolpassword is not null)`).Scan(&rules, &powers, &withPassword)
	if err != nil || powers != 0 || withPassword != 1 {
		t.Fatalf("%d powers, %d roles with a password, %v", powers, withPassword, err)
	}
	if err := os.WriteFile(rules, []byte("host all all 127.0.0.1/32 scram-sha-256\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Exec(ctx, "select pg_reload_conf()"); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		other, err := pgx.Connect(ctx, superuser)
		if err != nil {
			break
		}
		other.Close(ctx)
		if time.Now().After(deadline) {
			t.Fatal("the server asks for no password")
		}
	}
	u, err := url.Parse(superuser)
	if err != nil {
		t.Fatal(err)
	}
	u.User = url.UserPassword("gateway", password)
	owner, err := pgx.Connect(ctx, u.String())
	if err != nil {
		t.Fatal(err)
	}
	owner.Close(ctx)
}

// startRedis starts the Redis of this machine with the command of the compose file, and checks that it asks for the password.
func startRedis(t *testing.T, im *image, redis service) {
	t.Helper()
	bin := t.TempDir()
	entryPoint := "#!/bin/sh\nexec \"$@\"\n" // the image's also gives root's rights up
	if err := os.WriteFile(bin+"/docker-entrypoint.sh", []byte(entryPoint), 0o700); err != nil {
		t.Fatal(err)
	}
	if redis.Command[0] != "sh" || len(redis.Command) != 3 {
		t.Fatalf("the command of Redis: %v", redis.Command)
	}
	command := strings.ReplaceAll(redis.Command[2], "</services/", "<"+im.Root+"/services/")
	cmd := exec.Command("sh", "-c", command)
	cmd.Dir = bin
	cmd.Env = append(os.Environ(), "PATH="+bin+":"+os.Getenv("PATH"))
	server, err := testproc.Start(cmd, "", syscall.SIGKILL)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Stop(syscall.SIGKILL) })
	if err := server.WaitListening(6379); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("redis-cli", "set", "x", "y").CombinedOutput()
	if !strings.Contains(string(out), "NOAUTH") {
		t.Errorf("Redis without a password: %v: %s", err, out)
	}
}

func TestImage(t *testing.T) {
	im := theImage(t)
	var files []string
	filepath.WalkDir(im.Root, func(path string, d os.DirEntry, err error) error {
		if d != nil && !d.IsDir() {
			files = append(files, strings.TrimPrefix(path, im.Root))
		}
		return err
	})
	if got := strings.Join(files, " "); got != "/etc/ssl/certs/ca-certificates.crt /gateway" {
		t.Errorf("the image holds %s", got)
	}
	info, err := os.Stat(im.Root + "/gateway")
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("the binary has %.1f MB", float64(info.Size())/1e6)
	if im.UID == 0 || im.GID == 0 {
		t.Error("it runs as root")
	}
	if out, err := im.run(nil, im.argv([]string{"version"})...); err != nil || !strings.HasPrefix(out, "llm-gateway ") {
		t.Errorf("%v: %s", err, out)
	}
	// By itself: SQLite in /data, and the image's own health check.
	api := im.start(t, nil, im.argv(nil)...)
	api.log.Wait(t, `data  /data/gateway.db`)
	im.healthy(t, nil, append([]string{"CMD"}, im.Health...))
	api.stop(t)
	if out, err := im.run(nil, im.Health...); err == nil {
		t.Errorf("it is healthy although it does not run: %s", out)
	}
	// A data folder that the user may not write.
	if out, err := im.run(map[string]string{"DATA_DIR": "/etc/gateway"}, im.argv(nil)...); err == nil ||
		!strings.Contains(out, "DATA_DIR is /etc/gateway") || !strings.Contains(out, "permission denied") {
		t.Errorf("%v: %s", err, out)
	}
}

func TestFullDisk(t *testing.T) {
	im := theImage(t)
	data := im.Root + "/full"
	if err := os.MkdirAll(data, 0o755); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.Remove(data) })
	if err := syscall.Mount("tmpfs", data, "tmpfs", 0, fmt.Sprintf("size=2m,uid=%d,gid=%d,mode=700", im.UID, im.GID)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { syscall.Unmount(data, 0) })
	api := im.start(t, map[string]string{"DATA_DIR": "/full", "HOST": "127.0.0.1"}, im.argv(nil)...)
	session := register(t, api.log.Wait(t, `/#setup=([\w-]+)`))
	fill := data + "/filler"
	f, err := os.Create(fill)
	if err != nil {
		t.Fatal(err)
	}
	for block := make([]byte, 4096); err == nil; {
		_, err = f.Write(block)
	}
	f.Close()
	made, status, text := 0, 0, ""
	for range 2000 {
		if status, text = call(t, "POST", "/api/tokens", session, `{"name":"x"}`); status != 201 {
			break
		}
		made++
	}
	if status != 503 || !strings.Contains(text, "no space left") {
		t.Errorf("on a full disk, after %d tokens: %d %s", made, status, text)
	}
	if out, err := im.run(map[string]string{"DATA_DIR": "/full"},
		im.argv([]string{"backup", "/full/copy"})...); err == nil || !strings.Contains(out, "no room") &&
		!strings.Contains(out, "no space") {
		t.Errorf("a backup on a full disk: %v %s", err, out)
	}
	if err := os.Remove(fill); err != nil {
		t.Fatal(err)
	}
	if status, text := call(t, "POST", "/api/tokens", session, `{"name":"x"}`); status != 201 {
		t.Errorf("with room again: %d %s", status, text)
	}
	_, text = call(t, "GET", "/api/tokens?limit=100", session, "")
	if n := strings.Count(text, `"name":"x"`); n != min(made+1, 100) && n != made+1 {
		t.Errorf("%d tokens of %d are there: %.200s", n, made+1, text)
	}
	api.stop(t)
}

const base = "http://127.0.0.1:3000"

func call(t *testing.T, method, path, bearer, body string) (int, string) {
	t.Helper()
	req, _ := http.NewRequest(method, base+path, strings.NewReader(body))
	req.Header.Set("Content-Type", "application/json")
	if bearer != "" {
		req.Header.Set("Authorization", "Bearer "+bearer)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(text)
}

func register(t *testing.T, setup string) (session string) {
	t.Helper()
	body, _ := json.Marshal(map[string]string{"email": "a@example.com", "password": "a long passphrase", "setupToken": setup})
	status, text := call(t, "POST", "/api/auth/register", "", string(body))
	var account struct{ Token string }
	if err := json.Unmarshal([]byte(text), &account); err != nil || status != 201 {
		t.Fatalf("register: %d %s", status, text)
	}
	return account.Token
}

// All services of docker-compose.yml, in the order of their dependencies.
func TestComposeServices(t *testing.T) {
	im := theImage(t)
	c := readCompose(t)
	t.Cleanup(func() { os.Remove(im.Root + "/etc/hosts") })
	if err := os.WriteFile(im.Root+"/etc/hosts", []byte("127.0.0.1 localhost postgres redis\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	init, api, worker := c.Services["init"], c.Services["api"], c.Services["worker"]
	for range 2 { // as at every "up"
		if out, err := im.run(init.Environment, im.argv(init.Command)...); err != nil {
			t.Fatalf("init: %v: %s", err, out)
		}
	}
	postgres, redis := c.Services["postgres"], c.Services["redis"]
	password, err := os.ReadFile(im.Root + postgres.Environment["POSTGRES_PASSWORD_FILE"])
	if err != nil {
		t.Fatal(err)
	}
	server := pgtest.Start(t, pgtest.Fast)
	// As the entry point of the image does: the database, then the file of SQL with the password in the environment.
	database := postgres.Environment["POSTGRES_DB"]
	execute(t, server.URL("postgres"), "create database "+database)
	psql := exec.Command("psql", "-X", "-f", sqlOfRole(t, postgres), server.URL(database))
	psql.Env = append(os.Environ(), "POSTGRES_PASSWORD="+string(password))
	if out, err := psql.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	u, err := url.Parse(server.URL(database))
	if err != nil {
		t.Fatal(err)
	}
	forward(t, 5432, u.Host)
	onHost(t, im, postgres.Healthcheck.Test)
	requirePassword(t, server.URL(database), string(password))
	startRedis(t, im, redis)
	onHost(t, im, redis.Healthcheck.Test)

	emu := emulator.New()
	origin, end, err := emulator.Start(emu)
	if err != nil {
		t.Fatal(err)
	}
	defer end()
	dotEnv := map[string]string{"OPENAI_BASE_URL": emulator.BaseURL(origin, "openai")}
	env := func(s service) map[string]string {
		all := map[string]string{}
		for _, set := range []map[string]string{dotEnv, s.Environment} {
			for name, value := range set {
				all[name] = value
			}
		}
		return all
	}
	served := im.start(t, env(api), im.argv(api.Command)...)
	im.healthy(t, env(api), api.Healthcheck.Test)
	worked := im.start(t, env(worker), im.argv(worker.Command)...)
	worked.log.Wait(t, "the worker is ready")
	im.healthy(t, env(worker), worker.Healthcheck.Test)
	served.log.Wait(t, "throttles are kept in Redis")

	own := env(api)
	own["JWT_SECRET"] = rand.Text() + rand.Text() // as of a .env
	if out, err := im.run(own, im.argv([]string{"migrate"})...); err == nil ||
		!strings.Contains(out, "JWT_SECRET and JWT_SECRET_FILE are both set") {
		t.Errorf("two secrets: %v: %s", err, out)
	}
	own["JWT_SECRET_FILE"] = "" // as the README's override has it
	if out, err := im.run(own, im.argv([]string{"migrate"})...); err != nil {
		t.Errorf("the secret of .env: %v: %s", err, out)
	}

	session := register(t, served.log.Wait(t, `/#setup=([\w-]+)`))
	if status, text := call(t, "POST", "/api/keys", session, `{"provider":"openai","apiKey":"sk-emulated-0001"}`); status != 201 {
		t.Fatalf("%d %s", status, text)
	}
	answeredByWorker(t, session)
	streamThroughStop(t, emu, served, session)
	worked.stop(t)

	// Up again: the same secrets, the same data.
	served = im.start(t, env(api), im.argv(api.Command)...)
	im.healthy(t, env(api), api.Healthcheck.Test)
	if status, text := call(t, "POST", "/api/chat", session,
		`{"model":"gpt-4o-mini","messages":[{"role":"user","content":"hi"}]}`); status != 200 {
		t.Errorf("%d %s", status, text)
	}
	if _, text := call(t, "GET", "/api/requests", session, ""); strings.Count(text, `"model":"gpt-4o-mini"`) != 3 {
		t.Errorf("the log of requests: %s", text)
	}
	served.stop(t)
}

// answeredByWorker submits an asynchronous request, and polls without a wait until the worker has answered.
func answeredByWorker(t *testing.T, session string) {
	t.Helper()
	const job = `{"async":true,"requestId":"for-the-worker","model":"gpt-4o-mini","messages":[{"role":"user","content":"echo: worked"}]}`
	if status, text := call(t, "POST", "/api/chat", session, job); status != 202 {
		t.Fatalf("%d %s", status, text)
	}
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(50 * time.Millisecond) {
		status, text := call(t, "GET", "/api/chat/for-the-worker?timeout=0", session, "")
		if status == 200 && strings.Contains(text, `"content":"worked"`) {
			return
		}
		if status != 202 || time.Now().After(deadline) {
			t.Fatalf("the worker does not answer: %d %s", status, text)
		}
	}
}

// streamThroughStop stops the gateway during a stream, which must still be complete.
func streamThroughStop(t *testing.T, emu *emulator.Emulator, served *container, session string) {
	t.Helper()
	emu.Set(emulator.Match{}, emulator.Behaviour{EventMs: 20})
	defer emu.Set(emulator.Match{}, emulator.Behaviour{})
	req, _ := http.NewRequest("POST", base+"/api/chat",
		strings.NewReader(`{"model":"gpt-4o-mini","stream":true,"messages":[{"role":"user","content":"words: 40"}]}`))
	req.Header.Set("Authorization", "Bearer "+session)
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	stopped := make(chan struct{})
	go func() { defer close(stopped); served.stop(t) }()
	text, err := io.ReadAll(resp.Body)
	if err != nil || !strings.HasSuffix(string(text), "data: [DONE]\n\n") {
		t.Errorf("%v: the stream ends with %q", err, text[max(0, len(text)-200):])
	}
	<-stopped
}
