"""The application: splash first, the engine behind it, then the window."""

import gc
import importlib
import signal
import threading
from pathlib import Path

from PySide6.QtCore import QEventLoop, Qt, QTimer
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import QApplication, QMessageBox

from app.garbage import Garbage
from app.splash import Splash

SLOW = ("engine", "sklearn.datasets")  # seconds, and no turn for the window meanwhile
ICON = Path(__file__).resolve().parent.parent / "resources" / "icons" / "secateur.svg"


def run(argv: list[str], path: Path | None) -> int:
    """Show the window until it closes.

    Args:
        argv: For Qt.
        path: Recipe, run folder, network or checkpoint to open first.

    Returns:
        The exit code.
    """
    gc.disable()  # among modules being loaded there is nothing to find
    app = QApplication(argv)
    app.setApplicationName("Secateur")
    app.setStyle("Fusion")
    app.setWindowIcon(QIcon(str(ICON)))
    splash = Splash(app.windowIcon())
    splash.show()
    error = _load(SLOW)
    if error is not None:
        splash.close()
        message = f"The engine cannot be loaded: {error}"
        QMessageBox.critical(None, "Secateur", f"{message}\n\nRun `make setup` again.")
        return 1
    # These import the engine, and with it torch: not before the splash is painted.
    from app.main_window import MainWindow
    from app.preferences import Preferences

    window = MainWindow(Preferences(), path)
    signal.signal(signal.SIGINT, lambda *_: window.close())
    window.show()
    splash.close()
    splash.deleteLater()
    garbage = Garbage(app)
    garbage.settle()
    once = Qt.ConnectionType.SingleShotConnection
    window.inspector.inspected.connect(garbage.settle, once)  # it loads more of torch
    return app.exec()


def _load(modules: tuple[str, ...]) -> BaseException | None:
    """Import on another thread while the event loop turns; the error if it fails."""
    failure: list[BaseException] = []

    def load() -> None:
        try:
            for module in modules:
                importlib.import_module(module)
        except Exception as error:  # whatever is wrong with an installation
            failure.append(error)

    thread = threading.Thread(target=load, name="import")
    loop, look = QEventLoop(), QTimer(interval=20)
    look.timeout.connect(lambda: thread.is_alive() or loop.quit())
    thread.start()
    look.start()
    loop.exec()
    look.stop()
    thread.join()
    return failure[0] if failure else None
