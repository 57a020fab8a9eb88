"""The driver's process: ``python -m dolphin.feed RUN_FOLDER``. Level C."""

from dolphin.feed.driver import main

if __name__ == "__main__":
    main()
