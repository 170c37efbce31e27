package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"text/template"
	"time"
)

var errNoNginx = errors.New("nginx is not installed")

// nginxConfig does what the balancer does too: connections kept on both sides,
// requests spread by weight, the X-Forwarded fields, no access log. Answers go
// through memory only. Each worker has its own socket (reuseport), which is how
// nginx spreads connections evenly.
var nginxConfig = template.Must(template.New("nginx.conf").Parse(`
daemon off;
worker_processes 2;
pid {{.Dir}}/nginx.pid;
error_log {{.Dir}}/nginx.log;
events { worker_connections 1024; }
http {
  access_log off;
  client_body_temp_path {{.Dir}}/nginx-body;
  proxy_temp_path {{.Dir}}/nginx-proxy;
  fastcgi_temp_path {{.Dir}}/nginx-fastcgi;
  uwsgi_temp_path {{.Dir}}/nginx-uwsgi;
  scgi_temp_path {{.Dir}}/nginx-scgi;
  keepalive_requests 1000000000;
  upstream targets {
{{range .Targets}}    server {{.Address}} weight={{.Weight}};
{{end}}    keepalive 64;
    keepalive_requests 1000000000;
  }
  server {
    listen {{.HTTP}} reuseport;
    listen {{.HTTPS}} ssl http2 reuseport;
    ssl_certificate {{.Chain}};
    ssl_certificate_key {{.Key}};
    ssl_protocols TLSv1.2 TLSv1.3;
    location / {
      proxy_pass http://targets;
      proxy_http_version 1.1;
      proxy_max_temp_file_size 0;
      proxy_set_header Connection "";
      proxy_set_header Host $host:$server_port;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
      proxy_set_header X-Forwarded-Proto $scheme;
      proxy_set_header X-Forwarded-Port $server_port;
    }
  }
}
`))

func startNginx(ctx context.Context, b *backend) (*proxy, error) {
	path, err := exec.LookPath("nginx")
	if err != nil {
		return nil, errNoNginx
	}
	plain, encrypted, err := freePorts()
	if err != nil {
		return nil, err
	}
	type target struct {
		Address string
		Weight  int
	}
	values := struct {
		Dir, HTTP, HTTPS, Chain, Key string
		Targets                      []target
	}{Dir: b.dir, HTTP: plain, HTTPS: encrypted, Chain: b.chain, Key: b.key}
	for i, l := range b.targets {
		values.Targets = append(values.Targets, target{l.Addr().String(), targetWeights[i]})
	}
	file := filepath.Join(b.dir, "nginx.conf")
	f, err := os.Create(file)
	if err != nil {
		return nil, err
	}
	if err := errors.Join(nginxConfig.Execute(f, values), f.Close()); err != nil {
		return nil, err
	}
	cmd := exec.Command(path, "-c", file, "-p", b.dir)
	cmd.Stderr = os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // an interrupt of ours goes to us, and we end it
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	p := &proxy{name: "nginx", addresses: map[string]string{"http": plain, "https": encrypted}}
	// As a user would end it, with its workers.
	p.close = func(ctx context.Context) error { return end(ctx, cmd, syscall.SIGTERM) }
	if err = p.awaitListening(ctx); err == nil {
		p.pids, err = children(cmd.Process.Pid)
	}
	if err != nil {
		ctx, cancel := cleanup(ctx)
		defer cancel()
		return nil, errors.Join(fmt.Errorf("nginx: %w", err), p.close(ctx))
	}
	return p, nil
}

// freePorts finds two addresses that nobody listens on.
func freePorts() (a, b string, err error) {
	first, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return "", "", err
	}
	defer first.Close()
	second, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return "", "", err
	}
	defer second.Close()
	return first.Addr().String(), second.Addr().String(), nil
}

// awaitListening waits until the proxy accepts connections.
func (p *proxy) awaitListening(ctx context.Context) error {
	return poll(ctx, 10*time.Millisecond, func() (bool, error) {
		for _, address := range p.addresses {
			c, err := net.Dial("tcp4", address)
			if err != nil {
				return false, nil
			}
			c.Close()
		}
		return true, nil
	})
}

// children are the processes that a process started.
func children(pid int) (pids []int, err error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", pid, pid))
	if err != nil {
		return nil, err
	}
	for _, field := range strings.Fields(string(b)) {
		child, err := strconv.Atoi(field)
		if err != nil {
			return nil, err
		}
		pids = append(pids, child)
	}
	if len(pids) == 0 {
		return nil, fmt.Errorf("process %d has no children", pid)
	}
	return pids, nil
}
