package control

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"fargo/aws/ecr"
	"fargo/record"
	"fargo/store"
)

const keepTwo = `{"rules":[{"rulePriority":1,"selection":{"tagStatus":"any","countType":"imageCountMoreThan","countNumber":2},"action":{"type":"expire"}}]}`

// putImage makes an image that was pushed now; subject is what it refers to.
func putImage(tx *store.Tx, digest, subject string) {
	i := &record.RepositoryImage{Scope: home, PushedAt: time.Now(), Image: ecr.ImageDetail{
		RepositoryName: new("app"), ImageDigest: new("sha256:" + digest), ImagePushedAt: new(time.Now()), ImageStatus: ecr.ImageStatusActive,
	}}
	if subject != "" {
		i.Image.SubjectManifestDigest = new("sha256:" + subject)
	}
	store.Images.Put(tx, i)
}

func images(db *store.DB) (digests []string) {
	for i := range store.Images.All(db.View()) {
		digests = append(digests, i.Digest()[len("sha256:"):])
	}
	return digests
}

func repository(db *store.DB) record.Repository {
	r, _ := store.Repositories.Get(db.View(), home.Key("app"))
	return *r
}

// A policy is carried out an hour after it was given, and then once a day; what refers
// to an image goes with it.
func TestLifecycle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		defer w.stop()
		push := func(digest, subject string) {
			time.Sleep(time.Second)
			w.update(func(tx *store.Tx) { putImage(tx, digest, subject) })
		}
		w.update(func(tx *store.Tx) {
			store.Repositories.Put(tx, &record.Repository{
				Scope: home, Repository: ecr.Repository{RepositoryName: new("app")}, LifecyclePolicy: keepTwo, LifecyclePolicySetAt: time.Now(),
			})
		})
		set := time.Now()
		for _, digest := range []string{"a", "b", "c"} {
			push(digest, "")
		}
		push("signature of b", "b")
		time.Sleep(time.Until(set.Add(time.Hour - 1)))
		synctest.Wait()
		if got := images(w.db); len(got) != 4 {
			t.Fatalf("before the hour: %v", got)
		}
		if r := repository(w.db); !r.LifecycleEvaluated().IsZero() {
			t.Errorf("evaluated at %v", r.LifecycleEvaluated())
		}
		time.Sleep(time.Second)
		synctest.Wait()
		if got := images(w.db); !slices.Equal(got, []string{"c"}) {
			t.Errorf("after it: %v", got)
		}
		first := repository(w.db)
		if at := first.LifecycleEvaluated(); !at.Equal(set.Add(time.Hour)) {
			t.Errorf("evaluated at %v", at)
		}
		push("d", "")
		push("e", "")
		time.Sleep(time.Until(set.Add(25*time.Hour - 1)))
		synctest.Wait()
		if got := images(w.db); len(got) != 3 {
			t.Errorf("before the day: %v", got)
		}
		time.Sleep(time.Second)
		synctest.Wait()
		if got := images(w.db); !slices.Equal(got, []string{"d", "e"}) {
			t.Errorf("after it: %v", got)
		}
	})
}

// More than one transaction takes is done in several, and a process that ends between
// two of them leaves the rest to the next.
func TestLifecycleOfManyImages(t *testing.T) {
	journal := store.NewMemoryWithin(store.Limits{Ops: 128, Bytes: 1 << 20})
	db, err := store.Open(t.Context(), journal)
	if err != nil {
		t.Fatal(err)
	}
	const many = 500
	for from := 0; from < many; from += 100 {
		if err := db.Update(t.Context(), func(tx *store.Tx) error {
			for n := from; n < from+100; n++ {
				putImage(tx, fmt.Sprintf("%06d", n), "")
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
	c, key := Lifecycles(1), home.Key("app")
	r := &record.Repository{
		Scope: home, Repository: ecr.Repository{RepositoryName: new("app")},
		LifecyclePolicy: keepTwo, LifecyclePolicySetAt: time.Now().Add(-time.Hour),
	}
	if err := db.Update(t.Context(), func(tx *store.Tx) error { store.Repositories.Put(tx, r); return nil }); err != nil {
		t.Fatal(err)
	}
	runs := 0
	for now := time.Now(); repository(db).LifecyclePolicyRunAt.IsZero(); runs++ {
		before := len(images(db))
		if err := db.Update(t.Context(), func(tx *store.Tx) error { _, err := c.Reconcile(tx, key, now); return err }); err != nil {
			t.Fatal(err)
		}
		if len(images(db)) == before {
			t.Fatal("nothing is done")
		}
		db.Close() // as if the process had ended
		if db, err = store.Open(context.Background(), journal); err != nil {
			t.Fatal(err)
		}
	}
	if got := images(db); !slices.Equal(got, []string{fmt.Sprintf("%06d", many-2), fmt.Sprintf("%06d", many-1)}) || runs < 2 {
		t.Errorf("%d images are left, after %d runs", len(got), runs)
	}
	db.Close()
}

// A policy that an older version kept and never carried out is not carried out at once.
func TestLifecyclePolicyOfAnOlderVersion(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		defer w.stop()
		w.update(func(tx *store.Tx) {
			for _, digest := range []string{"a", "b", "c"} {
				putImage(tx, digest, "")
			}
			store.Repositories.Put(tx, &record.Repository{
				Scope: home, Repository: ecr.Repository{RepositoryName: new("app")}, LifecyclePolicy: keepTwo,
			})
		})
		synctest.Wait()
		if got := images(w.db); len(got) != 3 {
			t.Fatalf("at once: %v", got)
		}
		time.Sleep(time.Hour)
		synctest.Wait()
		if got := images(w.db); len(got) != 2 {
			t.Errorf("after an hour: %v", got)
		}
	})
}
