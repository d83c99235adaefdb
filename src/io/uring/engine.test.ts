import { contractSuite } from "../contract-suite.ts";
import { createUringHarness } from "./harness.ts";

contractSuite("uring", createUringHarness);
