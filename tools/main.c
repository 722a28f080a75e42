/* The fovea command: a table of subcommands. */
int main(void) {
    return 0;
}
