package control

import (
	"context"
	"testing"

	"github.com/containerd/errdefs"

	"fargo"
	"fargo/aws/acm"
	"fargo/aws/elbv2"
	"fargo/desired"
	"fargo/plan"
	"fargo/record"
	"fargo/store"
)

// A node gets what something that it is assigned names, and no other node does.
func TestSecretsOfANode(t *testing.T) {
	w := newWorld(t)
	defer w.stop()
	w.plane.Puller = noImages{}
	task := &record.Task{}
	*task = *w.run()
	task.Node = "a"
	certificate := &record.Certificate{
		Scope: home, Certificate: acm.CertificateDetail{CertificateArn: new("arn:certificate")}, Body: "body\n", Chain: "chain", PrivateKey: "private",
	}
	unused := *certificate
	unused.Certificate.CertificateArn, unused.Body = new("arn:unused"), "other\n"
	w.update(func(tx *store.Tx) {
		store.Nodes.Put(tx, &record.Node{ID: "b", State: record.NodeActive})
		store.Tasks.Put(tx, task)
		store.Certificates.Put(tx, certificate)
		store.Certificates.Put(tx, &unused)
		store.ELBLoadBalancers.Put(tx, &record.ELBLoadBalancer{
			Scope: home, LoadBalancer: elbv2.LoadBalancer{LoadBalancerArn: new(theBalancer)},
			Interfaces: []desired.Interface{{ID: "eni-lb"}}, Nodes: map[string]string{"eni-lb": "a"},
		})
		store.ELBListeners.Put(tx, &record.ELBListener{Scope: home, Listener: elbv2.Listener{
			ListenerArn: new("arn:listener"), LoadBalancerArn: new(theBalancer), Certificates: []elbv2.Certificate{{CertificateArn: new("arn:certificate")}},
		}})
	})
	password := desired.RegistryPasswordOf(task.ARN())
	key := plan.Certificate(certificate).KeyID
	gets := func(node string, id desired.SecretID, want string) {
		t.Helper()
		got, err := w.plane.Secret(context.Background(), node, id)
		if want == "" && !errdefs.IsNotFound(err) || want != "" && (err != nil || got.Reveal() != want) {
			t.Errorf("node %s asking for %s gets %q, %v", node, id, got.Reveal(), err)
		}
	}
	gets("a", password, "password of "+task.ID)
	gets("a", key, "private")
	gets("b", password, "")
	gets("b", key, "")
	gets("a", plan.Certificate(&unused).KeyID, "")
	gets("a", desired.RegistryPasswordOf("arn:aws:ecs:us-east-1:123456789012:task/default/none"), "")
	gets("a", "private", "")
	gets("a", "", "")
	ended := *task
	ended.Desired, ended.Report = fargo.TaskStopped, &desired.TaskReport{TaskARN: task.ARN(), Status: fargo.TaskStopped}
	w.update(func(tx *store.Tx) { store.Tasks.Put(tx, &ended) })
	gets("a", password, "")
}
