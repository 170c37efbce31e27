package plan

import (
	"encoding/json"
	"strings"
	"testing"

	"fargo"
	"fargo/aws/ecs"
	"fargo/aws/efs"
	"fargo/desired"
	"fargo/record"
)

func TestMountedFileSystem(t *testing.T) {
	const all = "ClientMount ClientWrite ClientRootAccess"
	target := []*record.EFSMountTarget{{MountTarget: efs.MountTargetDescription{VpcId: new("vpc-1"), AvailabilityZoneName: new("us-east-1a")}}}
	point := efs.AccessPointDescription{
		FileSystemId:  new("fs-1"),
		RootDirectory: &efs.RootDirectory{Path: new("/a/b"), CreationInfo: &efs.CreationInfo{OwnerUid: new(int64(7)), OwnerGid: new(int64(8)), Permissions: new("0750")}},
		PosixUser:     &efs.PosixUser{Uid: new(int64(0)), Gid: new(int64(9)), SecondaryGids: []int64{10}},
	}
	elsewhere := point
	elsewhere.FileSystemId = new("fs-2")
	for _, c := range []struct {
		name, volume, zone, may string
		point                   *efs.AccessPointDescription
		want                    string // a mount in JSON, or the end of a reason
	}{
		{"whole", `{}`, "us-east-1a", all, nil, `{"volume":"v","fileSystem":"fs-1","directory":"/"}`},
		{"read", `{"rootDirectory":"/x"}`, "us-east-1a", "ClientMount", nil, `{"volume":"v","fileSystem":"fs-1","directory":"/x","readOnly":true,"squashRoot":true}`},
		{"point", `{"authorizationConfig":{"accessPointId":"fsap-1"}}`, "us-east-1a", all, &point, `{"volume":"v","fileSystem":"fs-1","directory":"/a/b","create":{"uid":7,"gid":8,"mode":488},"user":{"uid":0,"gid":9,"groups":[10]}}`},
		{"squashed", `{"authorizationConfig":{"accessPointId":"fsap-1"}}`, "us-east-1a", "ClientMount ClientWrite", &point, `{"volume":"v","fileSystem":"fs-1","directory":"/a/b","create":{"uid":7,"gid":8,"mode":488},"user":{"uid":65534,"gid":65534,"groups":[10]},"squashRoot":true}`},
		{"other zone", `{}`, "us-east-1b", all, nil, `fs-1.efs.us-east-1.amazonaws.com" - check that your file system ID`},
		{"denied", `{}`, "us-east-1a", "", nil, `access denied by server while mounting fs-1.efs.us-east-1.amazonaws.com:/'`},
		{"denied by TLS", `{"transitEncryption":"ENABLED"}`, "us-east-1a", "", nil, `access denied by server while mounting 127.0.0.1:/'`},
		{"no point", `{"authorizationConfig":{"accessPointId":"fsap-1"}}`, "us-east-1a", all, nil, "access denied by server"},
		{"point of another", `{"authorizationConfig":{"accessPointId":"fsap-1"}}`, "us-east-1a", all, &elsewhere, "access denied by server"},
	} {
		volume := ecs.EFSVolumeConfiguration{FileSystemId: new("fs-1")}
		if err := json.Unmarshal([]byte(c.volume), &volume); err != nil {
			t.Fatal(err)
		}
		v := EFSVolume{
			Volume: &ecs.Volume{Name: new("v"), EfsVolumeConfiguration: &volume}, FileSystem: &record.EFSFileSystem{}, Targets: target,
			Allowed: func(action string) bool {
				_, name, _ := strings.Cut(action, ":")
				return strings.Contains(c.may, name)
			},
		}
		if c.point != nil {
			v.AccessPoint = &record.EFSAccessPoint{AccessPoint: *c.point}
		}
		task := &record.Task{Scope: fargo.Scope{Account: fargo.DefaultAccount, Region: "us-east-1"}, Interface: &desired.Interface{VPC: "vpc-1"}}
		got, reason := v.Mounted(task, c.zone)
		if !strings.Contains(got.MissingReason, ":"+got.Directory+" failed") && reason == "" && c.point == nil {
			t.Errorf("%s: %s", c.name, got.MissingReason)
		}
		got.MissingReason = ""
		data, _ := json.Marshal(got)
		if reason == "" && string(data) != c.want || reason != "" && !strings.Contains(reason, c.want) {
			t.Errorf("%s: got %s %s, want %s", c.name, data, reason, c.want)
		}
	}
}
