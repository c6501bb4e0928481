module github.com/quaeso/community-operator

go 1.26.0
