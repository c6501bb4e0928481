module github.com/quaeso/community-operator/hack/cluster/forward

go 1.26.0
