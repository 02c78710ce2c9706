package patch_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/patch"
)

func TestServices(t *testing.T) {
	production := patch.Account{Name: "production", ID: "111122223333"}
	group := func(name string) patch.Group {
		return patch.Group{Account: production, Region: "ap-northeast-1", AutoScalingGroup: name}
	}
	behind := func(arns ...string) patch.Behind { return patch.Behind{All: arns} }
	web, api, batch := group("web"), group("api"), group("batch")
	for _, c := range []struct {
		name    string
		stages  []patch.Stage
		targets map[string]patch.Behind
		want    []patch.Service
	}{
		{"none", []patch.Stage{{Groups: []patch.Group{web, api}}}, nil, []patch.Service{}},
		{
			"one service of one group: another plan may hold the others",
			[]patch.Stage{{Service: "shop", Groups: []patch.Group{web}}},
			nil,
			[]patch.Service{{Name: "shop", Groups: []patch.Group{web}}},
		},
		{
			"one service of two stages, and a group that stands in both",
			[]patch.Stage{
				{Service: "shop", Groups: []patch.Group{web, api}}, {Service: "shop", Groups: []patch.Group{api, batch}},
			},
			nil,
			[]patch.Service{{Name: "shop", Groups: []patch.Group{web, api, batch}}},
		},
		{
			"sorted, whatever the order of the stages",
			[]patch.Stage{{Service: "shop", Groups: []patch.Group{web}}, {Service: "bank", Groups: []patch.Group{batch}}},
			nil,
			[]patch.Service{{Name: "bank", Groups: []patch.Group{batch}}, {Name: "shop", Groups: []patch.Group{web}}},
		},
		{
			"a target group that two groups of a stage share",
			[]patch.Stage{{Groups: []patch.Group{web, api, batch}}},
			map[string]patch.Behind{
				web.String(): behind("arn:a", "arn:b"), api.String(): behind("arn:b"), batch.String(): behind("arn:c"),
			},
			[]patch.Service{{Name: "arn:b", Groups: []patch.Group{web, api}}},
		},
		{
			"stages come one after the other: what they share is not at stake",
			[]patch.Stage{{Groups: []patch.Group{web}}, {Groups: []patch.Group{api}}},
			map[string]patch.Behind{web.String(): behind("arn:a"), api.String(): behind("arn:a")},
			[]patch.Service{},
		},
		{
			"a target group that holds others, of whatever wave",
			[]patch.Stage{{Groups: []patch.Group{web}}, {Groups: []patch.Group{web, api}}},
			map[string]patch.Behind{
				web.String(): {All: []string{"arn:a", "arn:b"}, Shared: []string{"arn:a"}}, api.String(): behind("arn:c"),
			},
			[]patch.Service{{Name: "arn:a", Groups: []patch.Group{web}}},
		},
		{
			"both ways",
			[]patch.Stage{{Service: "shop", Groups: []patch.Group{web, api}}},
			map[string]patch.Behind{web.String(): behind("arn:a"), api.String(): behind("arn:a")},
			[]patch.Service{{Name: "arn:a", Groups: []patch.Group{web, api}}, {Name: "shop", Groups: []patch.Group{web, api}}},
		},
	} {
		t.Run(c.name, func(t *testing.T) { require.Equal(t, c.want, patch.Services(c.stages, c.targets)) })
	}
}

func TestServicesOf(t *testing.T) {
	web, api := patch.Group{AutoScalingGroup: "web"}, patch.Group{AutoScalingGroup: "api"}
	targets := []string{"arn:b", "arn:a"}
	for _, c := range []struct {
		name   string
		stages []patch.Stage
		want   []string
	}{
		{"a group of no stage", []patch.Stage{{Service: "shop", Groups: []patch.Group{api}}}, []string{}},
		{
			"alone in its stage, and perhaps not behind its target groups",
			[]patch.Stage{{Groups: []patch.Group{web}}},
			[]string{"arn:a", "arn:b"},
		},
		{
			"a service, though alone in its stage",
			[]patch.Stage{{Service: "shop", Groups: []patch.Group{web}}},
			[]string{"arn:a", "arn:b", "shop"},
		},
		{"beside another", []patch.Stage{{Groups: []patch.Group{api, web}}}, []string{"arn:a", "arn:b"}},
		{
			"in several stages",
			[]patch.Stage{{Service: "shop", Groups: []patch.Group{web}}, {Service: "shop", Groups: []patch.Group{web, api}}},
			[]string{"arn:a", "arn:b", "shop"},
		},
	} {
		t.Run(c.name, func(t *testing.T) { require.Equal(t, c.want, patch.ServicesOf(c.stages, web, targets)) })
	}
}
