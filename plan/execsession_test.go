package plan

import (
	"slices"
	"strings"
	"testing"

	"fargo/aws/ecs"
	"fargo/record"
)

func TestDataChannelURL(t *testing.T) {
	for _, c := range []struct{ node, client, want string }{
		{"127.0.0.1:4567", "localhost:4566", "ws://localhost:4567/"},
		{"127.0.0.1:4567", "127.0.0.1:4566", "ws://127.0.0.1:4567/"},
		{"0.0.0.0:4567", "build.example.com:4566", "ws://build.example.com:4567/"},
		{"[::]:4567", "[fd00::1]:4566", "ws://[fd00::1]:4567/"},
		{"[::1]:4567", "[::1]", "ws://[::1]:4567/"},
		{"127.0.0.1:4567", "fargo", "ws://fargo:4567/"},
		{"127.0.0.1:4567", "", "ws://localhost:4567/"},
		{"10.1.2.3:4567", "localhost:4566", "ws://10.1.2.3:4567/"},
	} {
		got, err := DataChannelURL(c.node, c.client, "s", false)
		if want := c.want + "v1/data-channel/s?role=publish_subscribe"; err != nil || got != want {
			t.Errorf("of a node at %s for a client of %s: %s, %v", c.node, c.client, got, err)
		}
	}
	if url, err := DataChannelURL("", "localhost", "s", true); err == nil {
		t.Errorf("of a node without: %s", url)
	}
}

func TestVPCDataChannelURL(t *testing.T) {
	for _, c := range []struct {
		client string
		secure bool
		want   string
	}{
		{"ecs.eu-west-1.amazonaws.com", true, "wss://ssmmessages.eu-west-1.amazonaws.com"},
		{"ecs.eu-west-1.amazonaws.com", false, "ws://ssmmessages.eu-west-1.amazonaws.com"},
		{"ecs.eu-west-1.api.aws", true, "wss://ssmmessages.eu-west-1.amazonaws.com"},
		{"vpce-0a.ecs.eu-west-1.vpce.amazonaws.com", true, "wss://ssmmessages.eu-west-1.amazonaws.com"},
		{"10.0.0.3", false, "ws://10.0.0.3"},
		{"amazonaws.com.example:443", true, "wss://amazonaws.com.example:443"},
	} {
		if got, want := VPCDataChannelURL(c.client, "eu-west-1", "s", c.secure), c.want+"/v1/data-channel/s?role=publish_subscribe"; got != want {
			t.Errorf("for a client of %s: %s, want %s", c.client, got, want)
		}
	}
}

// Over TLS a channel is opened where the APIs are, but on the machine itself.
func TestDataChannelURLOverTLS(t *testing.T) {
	for client, want := range map[string]string{
		"127.0.0.1:4566":         "ws://127.0.0.1:4567",
		"localhost:4566":         "ws://localhost:4567",
		"[::1]:4566":             "ws://[::1]:4567",
		"192.0.2.1:4566":         "wss://192.0.2.1:4566",
		"[2001:db8::1]:4566":     "wss://[2001:db8::1]:4566",
		"fargo.example.com":      "wss://fargo.example.com",
		"fargo.example.com:4566": "wss://fargo.example.com:4566",
	} {
		got, err := DataChannelURL("127.0.0.1:4567", client, "s", true)
		if want += "/v1/data-channel/s?role=publish_subscribe"; err != nil || got != want {
			t.Errorf("for a client of %s: %s, %v", client, got, err)
		}
	}
}

func TestExecArguments(t *testing.T) {
	for command, want := range map[string][]string{
		"/bin/sh":               {"/bin/sh"},
		` cat  "/a b" c\ d `:    {"cat", "/a b", "c d"},
		"sh -c 'echo $A && id'": {"sh", "-c", "echo $A && id"},
		"":                      {"sh"},
		"  ":                    {"sh"},
	} {
		if got, err := ExecArguments(command); err != nil || !slices.Equal(got, want) {
			t.Errorf("%q: %q, %v", command, got, err)
		}
	}
	if got, err := ExecArguments("sh 'x"); err == nil {
		t.Errorf("without its end: %q", got)
	}
}

func TestParseExecTarget(t *testing.T) {
	if cluster, task, id, ok := ParseExecTarget("ecs:my_cluster_abc_abc-1"); !ok || cluster != "my_cluster" || task != "abc" || id != "abc-1" {
		t.Error(cluster, task, id, ok)
	}
	for _, target := range []string{"", "i-1", "ecs:", "ecs:a_b", "ecs:a__c", "ecs:_b_c", "a_b_c"} {
		if _, _, _, ok := ParseExecTarget(target); ok {
			t.Errorf("%q is one", target)
		}
	}
}

func TestExecLogging(t *testing.T) {
	container := &ecs.ContainerDefinition{LogConfiguration: &ecs.LogConfiguration{
		LogDriver: ecs.LogDriverAwslogs, Options: map[string]string{"awslogs-group": "/app", "awslogs-region": "eu-west-1"},
	}}
	own := record.ExecLogging{LogGroup: "/app", LogRegion: "eu-west-1"}
	with := func(c *ecs.ExecuteCommandConfiguration) *ecs.Cluster {
		return &ecs.Cluster{Configuration: &ecs.ClusterConfiguration{ExecuteCommandConfiguration: c}}
	}
	for _, c := range []struct {
		cluster *ecs.Cluster
		want    record.ExecLogging
	}{
		{&ecs.Cluster{}, own},
		{with(&ecs.ExecuteCommandConfiguration{}), own},
		{with(&ecs.ExecuteCommandConfiguration{Logging: ecs.ExecuteCommandLoggingDefault}), own},
		{with(&ecs.ExecuteCommandConfiguration{Logging: ecs.ExecuteCommandLoggingNone}), record.ExecLogging{}},
		{with(&ecs.ExecuteCommandConfiguration{Logging: ecs.ExecuteCommandLoggingOverride, LogConfiguration: &ecs.ExecuteCommandLogConfiguration{
			S3BucketName: new("audit"), S3KeyPrefix: new("exec/"), S3EncryptionEnabled: new(true),
		}}), record.ExecLogging{Bucket: "audit", KeyPrefix: "exec", BucketEncrypted: true}},
	} {
		if got := ExecLogging(c.cluster, container); got != c.want {
			t.Errorf("%+v, want %+v", got, c.want)
		}
	}
	if got := ExecLogging(&ecs.Cluster{}, &ecs.ContainerDefinition{}); got != (record.ExecLogging{}) {
		t.Errorf("of a container without logs: %+v", got)
	}
}

// All of a transcript is in its events, each of which is one that CloudWatch Logs takes.
func TestTranscriptEvents(t *testing.T) {
	line := strings.Repeat("é", 500) + "\n"
	content := strings.Repeat(line, 3000) + strings.Repeat("ü", 150_001) + "\xff\n"
	var all strings.Builder
	for _, batch := range TranscriptEvents([]byte(content)) {
		size := 0
		for _, event := range batch {
			if len(event) > 256<<10 || event == "" {
				t.Errorf("an event has %d bytes", len(event))
			}
			size += len(event) + 26
			all.WriteString(event)
		}
		if size > 1<<20 || len(batch) > 10_000 {
			t.Errorf("a call has %d events of %d bytes", len(batch), size)
		}
	}
	if got := all.String(); got != strings.ReplaceAll(content, "\xff", "?") {
		t.Errorf("%d bytes of %d are there", len(got), len(content))
	}
	if got := TranscriptEvents(nil); got != nil {
		t.Errorf("of nothing: %q", got)
	}
}
