package tags_test

import (
	"errors"
	"testing"

	"fargo"
	"fargo/api/tags"
	"fargo/aws/ecs"
	"fargo/record"
	"fargo/store"
)

// Changing a resource's tags stores a copy of its record, and nothing if it fails.
func TestResource(t *testing.T) {
	db, err := store.Open(t.Context(), store.NewMemory())
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	scope := fargo.Scope{Account: "123456789012", Region: "us-east-1"}
	made := &record.Cluster{Scope: scope, Cluster: ecs.Cluster{ClusterName: new("c"), Tags: []ecs.Tag{{Key: new("a")}}}}
	refused := errors.New("refused")
	err = db.Update(t.Context(), func(tx *store.Tx) error {
		store.Clusters.Put(tx, made)
		r := tags.Of(store.Clusters, made, func(c *record.Cluster) *[]ecs.Tag { return &c.Cluster.Tags })
		if err := r.Change(tx, func([]ecs.Tag) ([]ecs.Tag, error) { return nil, refused }); !errors.Is(err, refused) {
			t.Errorf("a change that is refused gives %v", err)
		}
		if got, _ := store.Clusters.Get(tx, scope.Key("c")); len(got.Cluster.Tags) != 1 {
			t.Errorf("what was refused is stored: %v", got.Cluster.Tags)
		}
		return r.Change(tx, func(has []ecs.Tag) ([]ecs.Tag, error) { return append(has[:1:1], ecs.Tag{Key: new("b")}), nil })
	})
	if err != nil {
		t.Fatal(err)
	}
	got, _ := store.Clusters.Get(db.View(), scope.Key("c"))
	if len(got.Cluster.Tags) != 2 || len(made.Cluster.Tags) != 1 {
		t.Errorf("the cluster has %v, and the record before has %v", got.Cluster.Tags, made.Cluster.Tags)
	}
}
