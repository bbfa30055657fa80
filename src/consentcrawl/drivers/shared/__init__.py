"""What drivers share: heads, contents and bodies as HTTP libraries have them, and what stands in for a refusal."""
