package compose

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/beluga-cdc/beluga/internal/servers"
)

func TestMain(m *testing.M) { servers.Main(m) }

const root = "../.."

// file is docker-compose.yml; what it does not know, the file must not have.
type file struct {
	Name     string
	Services map[string]*service
	Configs  map[string]struct{ Content string }
	Volumes  map[string]any
}

type service struct {
	Image       string
	Build       string
	Environment map[string]string
	Command     []string
	Configs     []struct{ Source, Target string }
	Volumes     []string
	Ports       []string
	Restart     string
	Healthcheck *struct {
		Test              []string
		Interval, Timeout time.Duration
		Retries           int
	}
	DependsOn       map[string]struct{ Condition string } `yaml:"depends_on"`
	StopGracePeriod time.Duration                         `yaml:"stop_grace_period"`
}

func read(t *testing.T) file {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(root, "docker-compose.yml"))
	require.NoError(t, err)
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	decoder.KnownFields(true)
	var f file
	require.NoError(t, decoder.Decode(&f))
	for _, name := range []string{"mysql", "kafka", "beluga"} {
		require.Contains(t, f.Services, name)
	}
	require.Len(t, f.Services, 3)
	return f
}

var pinned = regexp.MustCompile(`^[a-z0-9./-]+:\d+\.\d+(\.\d+)?(-[a-z0-9]+)?$`)

func TestServices(t *testing.T) {
	f := read(t)
	for _, name := range []string{"mysql", "kafka"} {
		s := f.Services[name]
		assert.Regexp(t, pinned, s.Image)
		assert.Equal(t, "service_healthy", f.Services["beluga"].DependsOn[name].Condition, "beluga waits for %s", name)
		if assert.NotNil(t, s.Healthcheck, name) {
			assert.Equal(t, "CMD", s.Healthcheck.Test[0])
			assert.Positive(t, s.Healthcheck.Retries)
		}
	}
	for name, s := range f.Services {
		require.NotEmpty(t, s.Volumes, "%s keeps its data", name)
		for _, volume := range s.Volumes {
			source, _, _ := strings.Cut(volume, ":")
			assert.Contains(t, f.Volumes, source, "volume of %s", name)
		}
		for _, port := range s.Ports {
			assert.True(t, strings.HasPrefix(port, "127.0.0.1:"), "%s: port %s is open to the network, with a password that everybody knows", name, port)
		}
	}
	assert.FileExists(t, filepath.Join(root, f.Services["beluga"].Build, "Dockerfile"))
}

// The builder's Go must be able to build the module, and stay the one that was
// tested.
func TestDockerfile(t *testing.T) {
	dockerfile, err := os.ReadFile(filepath.Join(root, "Dockerfile"))
	require.NoError(t, err)
	gomod, err := os.ReadFile(filepath.Join(root, "go.mod"))
	require.NoError(t, err)
	image := regexp.MustCompile(`(?m)^FROM golang:(\d+\.\d+)\.\d+ AS build$`).FindSubmatch(dockerfile)
	require.NotNil(t, image, "the builder's Go is pinned")
	module := regexp.MustCompile(`(?m)^go (\d+\.\d+)`).FindSubmatch(gomod)
	require.Equal(t, string(module[1]), string(image[1]))
	require.Contains(t, string(dockerfile), "ENV CGO_ENABLED=0", "the image has no C library")
	require.Contains(t, string(dockerfile), "\nUSER nonroot\n")
}

func TestBrokerSettings(t *testing.T) {
	f := read(t)
	kafka := f.Services["kafka"]
	at, given := flagValue(f.Services["beluga"].Command, "--kafka")
	require.True(t, given)
	host, port, _ := strings.Cut(at, ":")
	assert.Equal(t, "kafka", host)
	assert.Equal(t, "PLAINTEXT://"+at, kafka.Environment["KAFKA_ADVERTISED_LISTENERS"])
	assert.Contains(t, kafka.Environment["KAFKA_LISTENERS"], "PLAINTEXT://:"+port)
	assert.Equal(t, "broker,controller", kafka.Environment["KAFKA_PROCESS_ROLES"])
	for name, value := range kafka.Environment {
		if strings.HasSuffix(name, "REPLICATION_FACTOR") || strings.HasSuffix(name, "MIN_ISR") {
			assert.Equal(t, "1", value, "%s: there is one broker", name)
		}
	}
	folder := kafka.Environment["KAFKA_LOG_DIRS"]
	assert.Contains(t, kafka.Volumes, "kafka:"+folder, "the broker's log is in its volume")
}

// TestCommandReplicates does what `docker compose up` does, with the tests' own
// servers in the place of the containers.
func TestCommandReplicates(t *testing.T) {
	f := read(t)
	beluga := build(t)
	server := servers.MySQL(t, f.Services["mysql"].Command...)
	server.Exec(t, "CREATE DATABASE "+f.Services["mysql"].Environment["MYSQL_DATABASE"])
	for _, config := range f.Services["mysql"].Configs {
		require.True(t, strings.HasPrefix(config.Target, "/docker-entrypoint-initdb.d/"))
		server.Exec(t, f.Configs[config.Source].Content)
	}

	command := f.Services["beluga"].Command
	from, given := flagValue(command, "--from")
	require.True(t, given)
	require.Contains(t, from, "@mysql:3306/")
	from = strings.Replace(from, "@mysql:3306/", "@"+server.Addr+"/", 1)
	lake, given := flagValue(command, "--to")
	require.True(t, given)
	require.Contains(t, f.Services["beluga"].Volumes, "lake:"+lake)
	lake = t.TempDir()

	out := run(t, beluga, "check", "--from="+from, "--to="+lake)
	assert.NotContains(t, strings.ToLower(out), "warning", "the server is all that Beluga wants")

	known := run(t, beluga, command[0], "--help")
	args := []string{command[0], "--once"}
	for _, arg := range command[1:] {
		name, _, _ := strings.Cut(arg, "=")
		assert.Contains(t, known, name+" ", "a flag that the user can look up")
		switch name {
		case "--from":
			arg = name + "=" + from
		case "--to":
			arg = name + "=" + lake
		case "--kafka":
			arg = name + "=" + servers.Kafka(t).Addr
		}
		args = append(args, arg)
	}
	run(t, beluga, args...)
	run(t, beluga, "verify", "--from="+from, "--to="+lake)

	timeout := regexp.MustCompile(`--shutdown-timeout .*\(default (\w+)\)`).FindStringSubmatch(known)
	require.NotNil(t, timeout)
	ends, err := time.ParseDuration(timeout[1])
	require.NoError(t, err)
	require.Greater(t, f.Services["beluga"].StopGracePeriod, ends, "Docker waits until the last commit is done")
}

// flagValue returns what the command gives a flag.
func flagValue(command []string, flag string) (value string, given bool) {
	for _, arg := range command {
		if value, given = strings.CutPrefix(arg, flag+"="); given {
			return value, true
		}
	}
	return "", false
}

func build(t *testing.T) string {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "beluga")
	cmd := exec.Command("go", "build", "-o", binary, "./cmd/beluga")
	cmd.Dir = root
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, string(out))
	return binary
}

// run runs Beluga and returns all that it prints.
func run(t *testing.T, binary string, args ...string) string {
	t.Helper()
	out, err := exec.Command(binary, args...).CombinedOutput()
	require.NoError(t, err, "beluga %s\n%s", strings.Join(args, " "), out)
	return string(out)
}
