"""The five frontends, each as its team might have written it."""
