package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"testing"

	"fargo/session"
)

// pluginArgs are what the aws command gives the plugin.
func (s *execServer) pluginArgs(t *testing.T) []string {
	t.Helper()
	response, err := json.Marshal(map[string]string{"sessionId": testSession, "streamUrl": "ws" + strings.TrimPrefix(s.URL, "http"), "tokenValue": "token"})
	if err != nil {
		t.Fatal(err)
	}
	return []string{string(response), "eu-west-1", "StartSession", "", `{"Target":"ecs:c_t_r"}`, s.URL}
}

func TestPluginArguments(t *testing.T) {
	for _, test := range []struct {
		args []string
		want string
	}{
		{nil, "\nThe Session Manager plugin was installed successfully. Use the AWS CLI to start a session.\n\n"},
		{[]string{"--version"}, pluginVersion + "\n"},
		{[]string{"x"}, "\nUnknown operation x. \nUse session-manager-plugin --version to check the version.\n\n"},
		{[]string{"{}", "eu-west-1", "x"}, "Invalid Operation"},
		{[]string{"x", "eu-west-1", "StartSession"}, "Cannot perform start session: invalid character 'x' looking for beginning of value\n"},
	} {
		var out bytes.Buffer
		runPlugin(t.Context(), test.args, &stdio{out: &out})
		if got := out.String(); got != test.want {
			t.Errorf("%q: %q, want %q", test.args, got, test.want)
		}
	}
	for program, want := range map[string]bool{"session-manager-plugin": true, "/usr/local/bin/session-manager-plugin": true, "fargo": false} {
		if calledAsPlugin(program) != want {
			t.Error(program)
		}
	}
}

// TestPluginAttends attends to a session whose first connection is lost, whose channel is
// encrypted, and whose command takes what is typed.
func TestPluginAttends(t *testing.T) {
	for name, value := range map[string]string{
		"AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_SESSION_TOKEN": "", "AWS_PROFILE": "",
		"AWS_CONFIG_FILE": os.DevNull, "AWS_SHARED_CREDENTIALS_FILE": os.DevNull,
	} {
		t.Setenv(name, value)
	}
	sizes := make(chan session.Size, 1)
	s := newExecServer(t, func(in io.Reader, out, _ io.Writer) int {
		typed := make([]byte, 3)
		_, _ = io.ReadFull(in, typed)
		if size := <-sizes; size != unknownSize { // what comes after the end is dropped
			t.Errorf("the size is %v", size)
		}
		fmt.Fprintf(out, "%s\r\n", typed)
		return 3
	})
	s.lose, s.sizes = true, sizes
	s.encrypt = &session.Encryption{KeyID: "key", Decrypt: func(_ context.Context, ciphertext []byte, c map[string]string) ([]byte, error) {
		if got := fmt.Sprint(c); got != string(ciphertext) || got != "map[aws:ssm:SessionId:"+testSession+" aws:ssm:TargetId:ecs:c_t_r]" {
			return nil, fmt.Errorf("the encryption context is %s", got)
		}
		return make([]byte, dataKeySize), nil
	}}
	s.start()
	in, typed, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	defer typed.Close()
	if _, err := typed.WriteString("abc"); err != nil {
		t.Fatal(err)
	}
	before := os.Stdin
	os.Stdin = in
	defer func() { os.Stdin = before }()
	var out bytes.Buffer
	runPlugin(t.Context(), s.pluginArgs(t), &stdio{out: &out})
	want := "\nStarting session with SessionId: " + testSession + "\nabc\r\n\n\nExiting session with sessionId: " + testSession + ".\n\n"
	if got := out.String(); got != want {
		t.Errorf("%q, want %q", got, want)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if want := []string{"ResumeSession", "GenerateDataKey"}; !slices.Equal(s.calls, want) {
		t.Errorf("calls: %q", s.calls)
	}
}

// TestPluginIsTold prints why a session has ended.
func TestPluginIsTold(t *testing.T) {
	s := newExecServer(t, nil)
	s.start()
	s.agent.End("because")
	var out bytes.Buffer
	runPlugin(t.Context(), s.pluginArgs(t), &stdio{out: &out})
	if got, want := out.String(), "\n\nSessionId: "+testSession+" : because\n\n"; !strings.HasSuffix(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}
